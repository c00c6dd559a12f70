"""Jupyter notebooks: the sources of code and Markdown cells, without what the code printed.

The format: https://nbformat.readthedocs.io, versions 3 and 4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from curate.sources.readers.languages import language_called
from curate.text import TEXT

KINDS = ("code", "markdown")


def document(text: str) -> dict[str, Any]:
    """The text, the language and the number of cells of a notebook. ValueError if it is none."""
    try:
        notebook = json.loads(text)
        cells = list(_cells(notebook))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ValueError("not a notebook") from None
    own = [(kind, words) for kind, words in cells if kind in KINDS and words.strip()]
    if not own:
        raise ValueError("a notebook without code or text")
    counts = {kind: sum(kind == other for other, _ in own) for kind in KINDS}
    return {
        TEXT: "\n\n".join(words.strip("\n") for _, words in own) + "\n",
        "programming_language": _language(notebook),
        "cells": counts,
    }


def _cells(notebook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the kind and the source of every cell; version 3 has sheets, and calls it `input`.

    What is no cell is left out.
    """
    sheets = [notebook] if "cells" in notebook else notebook["worksheets"]
    for sheet in sheets:
        for cell in sheet["cells"]:
            if isinstance(cell, Mapping):
                source = cell.get("source", cell.get("input")) or ""
                kind = cell.get("cell_type", "")
                words = source if isinstance(source, str) else "".join(map(str, source))
                yield "markdown" if kind == "heading" else kind, words


def _language(notebook: Mapping[str, Any]) -> str:
    """The language of the cells: Python where the notebook does not say."""
    about = notebook.get("metadata") or {}
    kernel, language = about.get("kernelspec") or {}, about.get("language_info") or {}
    for name in (language.get("name"), kernel.get("language"), kernel.get("name")):
        if isinstance(name, str) and (found := language_called(name)):
            return found
    return "Python"
