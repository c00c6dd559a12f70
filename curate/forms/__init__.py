"""Label configs: real Label Studio XML, read into a `Form`.

A few tags and attributes are understood. Everything else is refused with its name and line: a
question that we would read wrongly must not reach people (see `forms/tags.py`).
"""

from curate.forms.checking import brief, brief_name, complaint
from curate.forms.files import known_forms, load_form
from curate.forms.reading import meaning_of, parse_form

__all__ = [
    "brief",
    "brief_name",
    "complaint",
    "known_forms",
    "load_form",
    "meaning_of",
    "parse_form",
]
