"""What a head reads: embeddings, character n-grams, or both, and their rotation for learning."""

from curate.heads.features.characters import Characters
from curate.heads.features.spaces import Primal, Space, spaces_of

__all__ = ["Characters", "Primal", "Space", "spaces_of"]
