"""`environment.txt`: packages, encoder and tokenizer of an export, in a form that pip reads."""

from __future__ import annotations

from collections.abc import Mapping

from curate import __version__
from curate.cards.quoting import visible

Digests = Mapping[str, Mapping[str, str]]
"""The sha256 of files, by what they are files of, then by their names; empty if unknown."""


def environment(python: str, packages: Mapping[str, str], digests: Digests) -> str:
    """The text: comments, then a line `name==version` for each package, sorted.

    `python` is the version of Python. What a version says of a machine (`+cpu`) is left out. curate
    itself is a comment, since pip would look for it where it is not.
    """
    lines = [f"# Python {python}", f"# curate {__version__}"]
    for owner, files in digests.items():
        lines.append(
            f"# {visible(owner)}" if files else f"# {visible(owner)}: no file of its own here"
        )
        lines += [f"#   sha256:{sha256}  {visible(name)}" for name, sha256 in files.items()]
    pins = (f"{name}=={version.partition('+')[0]}" for name, version in packages.items())
    lines += sorted(pins, key=str.lower)
    return "\n".join(lines) + "\n"
