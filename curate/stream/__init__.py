"""A mixture as a training loop reads it: `Mixture` streams an export that lies by group.

    export/ (by_group) ──Mixture──▶ documents, in the order of the mixture

This package imports torch: no command needs it.
"""

from curate.stream.mixture import Mixture

__all__ = ["Mixture"]
