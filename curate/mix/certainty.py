"""How sure the shares of a mixture are: intervals of what is promised, and of what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.inference.estimate import Estimate
from curate.mixture.intervals import Ends


@dataclass(frozen=True)
class Certainty:
    """How sure the shares of the groups are: by number; None where nothing is known.

    `ends` are the intervals of what is promised, `true` the estimates of true shares, `labels` the
    effective numbers of labels behind them. `few` have fewer than 20, `alike` cannot be told apart.
    """

    ends: Ends | None = None
    true: Sequence[Estimate | None] = ()
    labels: Sequence[float | None] = ()
    few: Sequence[str] = ()
    alike: Sequence[tuple[str, ...]] = ()

    def of(self, number: int) -> dict[str, float | None]:
        """The columns of the table `groups` for a group."""
        true = self.true[number] if self.true else None
        return {
            "promised_low": None if self.ends is None else float(self.ends.low[number]),
            "promised_high": None if self.ends is None else float(self.ends.high[number]),
            "estimated": None if true is None else true.value,
            "estimated_low": None if true is None else true.low,
            "estimated_high": None if true is None else true.high,
            "labels": self.labels[number] if self.labels else None,
        }
