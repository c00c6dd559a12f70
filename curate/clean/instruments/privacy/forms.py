"""The type and the patterns that the finders share."""

from __future__ import annotations

import re
from collections.abc import Iterator

Spans = Iterator[tuple[int, int]]
"""Half-open ranges (start, end) in code points."""

RUN = re.compile(r"\d[\d ().\-/\t]{5,}\d|\d{7}", re.ASCII)
BEFORE = r"(?<![0-9A-Za-z_.=/#\-$€£¥])"
AFTER = r"(?![0-9A-Za-z_=\-]|\.\d)"
