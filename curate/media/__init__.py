"""Images, audio and video: what they are, where their bytes lie, and how they are decoded.

address ──opening──▶ file ──probing──▶ facts; images, sounds, films ──▶ pixels and samples
"""

from curate.media.medium import Medium, MediumError

__all__ = ["Medium", "MediumError"]
