"""Questions to one SQLite file: which records, how similar, how far along, which values.

Filters, sorts, progress and metrics are SQL over Argilla's own tables, so they cannot differ from
what it stored; only words and vectors come from the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.servers.argilla.conditions import (
    ITEMS,
    NUMBER,
    OF_PROPERTY,
    SCALAR,
    Filter,
    Sort,
    Sql,
    condition,
    every,
    order,
)
from curate.servers.argilla.index import Index
from curate.servers.argilla.query import Query, expression

MATCHING = (
    "WITH found AS MATERIALIZED (SELECT d.record_id AS id, -w.rank AS score FROM curate_words w"
    " JOIN curate_documents d ON d.number = w.rowid WHERE w.curate_words MATCH ? AND "
)
PROGRESS = "SELECT status, count(*) FROM records WHERE dataset_id = ? GROUP BY status"
USER_PROGRESS = (
    "SELECT x.status, count(*) FROM responses x JOIN records r ON r.id = x.record_id"
    " WHERE r.dataset_id = ? AND x.user_id = ? GROUP BY x.status"
)
VALUES = f"FROM records r, {ITEMS} WHERE r.dataset_id = ? AND {OF_PROPERTY} AND {SCALAR}"


@dataclass(frozen=True)
class Text:
    """Words to be found in a field, or anywhere in the record."""

    query: Query
    field: str | None = None


@dataclass(frozen=True)
class Found:
    """Records with their scores, best first, and how many there are in all."""

    records: Sequence[tuple[str, float]] = ()
    total: int = 0


@dataclass(frozen=True)
class Wanted:
    """What is asked of a dataset; without filters and text, everything."""

    dataset: str
    filters: Sequence[Filter] = ()
    text: Text | None = None

    def source(self) -> tuple[Sql, Sql]:
        """Return what comes before `FROM records r …`, and that with its conditions."""
        of_dataset = Sql("r.dataset_id = ?", (self.dataset,))
        where = every([of_dataset, *(condition(each, self.dataset) for each in self.filters)])
        if self.text is None:
            return Sql(""), Sql("FROM records r WHERE ") + where
        words, field = expression(self.text.query), self.text.field
        place = Sql("d.is_whole") if field is None else Sql("d.field = ?", (field,))
        matching = Sql(MATCHING, (words,)) + place + ") "
        return matching, Sql("FROM found JOIN records r ON r.id = found.id WHERE ") + where


def search(
    index: Index,
    wanted: Wanted,
    *,
    sorts: Sequence[Sort] = (),
    user: str | None = None,
    offset: int = 0,
    limit: int = 100,
) -> Found:
    """Return a page of records: as sorted, else best match first, else in the user's own order."""
    page = page_sql(wanted, sorts=sorts, user=user, offset=offset, limit=limit)
    before, source = wanted.source()
    count = before + "SELECT count(*) " + source
    if wanted.text is not None:
        index.refresh()
    with index.reading() as connection:
        (total,) = connection.execute(count.text, count.values).fetchone()
        rows = connection.execute(page.text, page.values).fetchall()
    return Found(rows, total)


def page_sql(
    wanted: Wanted, *, sorts: Sequence[Sort], user: str | None, offset: int, limit: int
) -> Sql:
    """Return the query of a page, in an order that is the same each time."""
    before, source = wanted.source()
    if sorts:
        terms = [order(each, wanted.dataset) for each in sorts]
    elif wanted.text is not None:
        terms = [Sql("found.score DESC")]
    elif user is not None:
        terms = [Sql("curate_shuffled(?, r.id)", (user,))]
    else:
        terms = []
    score = "1.0" if wanted.text is None else "found.score"
    query = before + f"SELECT r.id, {score} " + source + " ORDER BY "
    for term in terms:
        query += term + ", "
    return query + Sql("r.inserted_at, r.id LIMIT ? OFFSET ?", (limit, offset))


def similar(
    index: Index,
    wanted: Wanted,
    settings: str,
    vector: Sequence[float],
    *,
    but: str | None = None,
    limit: int = 100,
    threshold: float | None = None,
) -> Found:
    """Return the records whose vectors point most nearly the same way, scored from 0 to 1.

    `but` is left out; the threshold leaves out records, not their number. Raises ValueError for a
    vector of another length.
    """
    import numpy as np

    index.refresh()
    records, matrix = index.matrix(settings)
    if not records:
        return Found()
    if matrix.shape[1] != len(vector):
        raise ValueError(f"a vector of {len(vector)} numbers, not {matrix.shape[1]}")
    direction = np.asarray(vector, dtype=np.float32)
    scores = (1 + matrix @ (direction / (np.linalg.norm(direction) or 1))) / 2
    allowed = _allowed(index, wanted) - {but}
    places = [place for place, record in enumerate(records) if record in allowed]
    best = sorted(places, key=lambda place: (-scores[place], records[place]))[:limit]
    rows = [(records[place], float(scores[place])) for place in best]
    return Found([row for row in rows if threshold is None or row[1] >= threshold], len(rows))


def _allowed(index: Index, wanted: Wanted) -> set[str | None]:
    before, source = wanted.source()
    query = before + "SELECT r.id " + source
    with index.reading() as connection:
        return {record for (record,) in connection.execute(query.text, query.values)}


def progress(index: Index, dataset: str, user: str | None = None) -> dict[str, int]:
    """Return how many records have each status; for a user, how many of the user's responses."""
    query, values = (PROGRESS, (dataset,)) if user is None else (USER_PROGRESS, (dataset, user))
    with index.reading() as connection:
        counts = dict(connection.execute(query, values).fetchall())
    return {"total": sum(counts.values()), **counts}


def terms(index: Index, dataset: str, name: str, limit: int) -> list[tuple[str, int]]:
    """Return the values of a metadata property with their numbers, the most frequent first."""
    query = f"SELECT v.value, count(*) {VALUES} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"
    with index.reading() as connection:
        return connection.execute(query, (dataset, name, limit)).fetchall()


def extremes(index: Index, dataset: str, name: str) -> tuple[float | None, float | None]:
    """Return the least and the largest value of a metadata property."""
    query = f"SELECT min(v.value), max(v.value) {VALUES} AND {NUMBER}"
    with index.reading() as connection:
        low, high = connection.execute(query, (dataset, name)).fetchone()
    return low, high
