"""Groups of documents: fifths of quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def buckets(items: pd.DataFrame) -> pd.Series[Any]:
    """The fifth of its group in which a document's quality lies, 1 to 5; null without quality."""
    rank = items.groupby("group")["quality"].rank(method="first", pct=True)
    fifth = (rank * 5).clip(upper=4.999)
    return fifth.floordiv(1).add(1).astype("Int32")
