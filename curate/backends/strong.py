"""Strong words of Markdown beside Chinese marks, which a page would show with their asterisks.

CommonMark ends `**…**` behind a mark only where a space or another mark follows. So there is no
strong word in `**注意：**请读`, since Chinese has no spaces. The mark is moved out of it.
"""

from __future__ import annotations

import re
from unicodedata import category

FENCE = re.compile(r"\s{0,3}(```|~~~)")


def readable(markdown: str) -> str:
    """The same Markdown, whose strong words end before marks that would keep them from ending.

    Lines of code stay as they are, and so do lines whose asterisks may mean something else.
    """
    lines, is_code = [], False
    for line in markdown.split("\n"):
        is_fence = FENCE.match(line) is not None
        is_code ^= is_fence
        is_plain = not (is_code or is_fence or "`" in line or "***" in line)
        lines.append(_moved(line) if is_plain else line)
    return "\n".join(lines)


def _moved(line: str) -> str:
    parts = line.split("**")
    if len(parts) < 3 or len(parts) % 2 == 0:
        return line
    for place in range(1, len(parts), 2):
        own = parts[place]
        words = own.strip("".join(filter(_is_mark, {*own})))
        if not words:
            continue
        low = own.index(words)
        before, after = own[:low], own[low + len(words) :]
        if before and parts[place - 1][-1:].isalnum():
            parts[place - 1] += before
            own = own[low:]
        if after and parts[place + 1][:1].isalnum():
            parts[place + 1] = after + parts[place + 1]
            own = own[: -len(after)]
        parts[place] = own
    return "**".join(parts)


def _is_mark(letter: str) -> bool:
    """Whether it is a mark of a sentence; brackets and signs of ASCII may be those of a link."""
    return letter in ".,:;!?" or (not letter.isascii() and category(letter).startswith("P"))
