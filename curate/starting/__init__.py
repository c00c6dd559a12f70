"""A recipe that fits the data that lies there.

files ──look──▶ what each holds ──shape──▶ how its texts are read ──write──▶ recipe.yaml
"""

from curate.starting.beginning import Choice, begin

__all__ = ["Choice", "begin"]
