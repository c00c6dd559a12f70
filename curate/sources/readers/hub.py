"""A data set of the Hugging Face hub by its name; `datasets` streams it and stores nothing."""

from __future__ import annotations

from typing import Any

from curate.errors import DataError
from curate.sources.readers.opening import Numbered, Reading


def _undecoded(rows: Any) -> Any:
    """The rows with images, audio and video as bytes and paths, not as pixels and samples."""
    return rows.decode(False) if hasattr(rows, "decode") else rows


def read(reading: Reading) -> Numbered:
    """Yield the rows of one split; `reading.query` is (config, split, revision)."""
    import datasets

    config, split, revision = reading.query
    name = reading.address
    number = 0
    try:
        rows = datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
        for number, row in enumerate(_undecoded(rows), 1):
            yield number, row
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        after = f", after row {number}" if number else ""
        cause = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{reading.label}{after}: {cause}",
            hint="a hub must be reachable; HF_TOKEN and HF_ENDPOINT are read from the environment",
        ) from None
