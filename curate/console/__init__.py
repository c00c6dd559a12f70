"""Every word, table and progress bar that is shown; only this package imports rich.

screen    lines: errors, notes, questions, progress
tables    tables that fit the terminal; CSV files
results   what a stage or a command did
"""

from curate.console.results import Page, done, following, made, show, show_with, step, waiting
from curate.console.screen import ask, error, error_plainly, harmless, note, warnings, watch
from curate.console.tables import table, write_csv

__all__ = [
    "Page",
    "ask",
    "done",
    "error",
    "error_plainly",
    "following",
    "harmless",
    "made",
    "note",
    "show",
    "show_with",
    "step",
    "table",
    "waiting",
    "warnings",
    "watch",
    "write_csv",
]
