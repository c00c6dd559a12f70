"""A data set of the Hugging Face hub, by name, through `datasets`; it is streamed, not stored."""

from __future__ import annotations

from curate.errors import DataError
from curate.pool.readers.opening import Numbered, Reading


def read(given: Reading) -> Numbered:
    """Yield the rows of one split; `given.query` is (name, config, split, revision)."""
    import datasets

    name, config, split, revision = given.query
    number = 0
    try:
        found = datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
        for number, row in enumerate(found, 1):
            yield number, row
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        after = f", after row {number}" if number else ""
        cause = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{given.label}{after}: {cause}",
            hint="a hub must be reachable; HF_TOKEN and HF_ENDPOINT are read from the environment",
        ) from None
