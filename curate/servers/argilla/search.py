"""Questions to one SQLite file: which records, how similar, how far along, which values.

Filters, sorts, progress and metrics are SQL over Argilla's own tables, so they always agree with
its data. Only words and vectors come from the index.
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
    "WITH matches AS MATERIALIZED (SELECT d.record_id AS id, -w.rank AS score FROM curate_words w"
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
    """Words to search for in a field, or anywhere in the record."""

    query: Query
    field: str | None = None


@dataclass(frozen=True)
class Matches:
    """Records with their scores, best first, and how many there are in all."""

    records: Sequence[tuple[str, float]] = ()
    total: int = 0


@dataclass(frozen=True)
class Wanted:
    """The records of a dataset that a search selects; all of them without filters and text."""

    dataset: str
    filters: Sequence[Filter] = ()
    text: Text | None = None

    def source(self) -> tuple[Sql, Sql]:
        """The SQL before `FROM records r …`, and `FROM records r …` with its conditions."""
        of_dataset = Sql("r.dataset_id = ?", (self.dataset,))
        where = every(
            [of_dataset, *(condition(criterion, self.dataset) for criterion in self.filters)]
        )
        if self.text is None:
            return Sql(""), Sql("FROM records r WHERE ") + where
        words, field = expression(self.text.query), self.text.field
        place = Sql("d.is_whole") if field is None else Sql("d.field = ?", (field,))
        matching = Sql(MATCHING, (words,)) + place + ") "
        return matching, Sql("FROM matches JOIN records r ON r.id = matches.id WHERE ") + where


def search(
    index: Index,
    selection: Wanted,
    *,
    sorts: Sequence[Sort] = (),
    user: str | None = None,
    offset: int = 0,
    limit: int = 100,
) -> Matches:
    """A page of records: as sorted, else best match first, else in the user's own order."""
    page = page_sql(selection, sorts=sorts, user=user, offset=offset, limit=limit)
    before, source = selection.source()
    count = before + "SELECT count(*) " + source
    if selection.text is not None:
        index.refresh()
    with index.reading() as connection:
        (total,) = connection.execute(count.text, count.values).fetchone()
        rows = connection.execute(page.text, page.values).fetchall()
    return Matches(rows, total)


def page_sql(
    selection: Wanted, *, sorts: Sequence[Sort], user: str | None, offset: int, limit: int
) -> Sql:
    """The query of a page, in an order that is always the same."""
    before, source = selection.source()
    if sorts:
        terms = [order(sort, selection.dataset) for sort in sorts]
    elif selection.text is not None:
        terms = [Sql("matches.score DESC")]
    elif user is not None:
        terms = [Sql("curate_shuffled(?, r.id)", (user,))]
    else:
        terms = []
    score = "1.0" if selection.text is None else "matches.score"
    query = before + f"SELECT r.id, {score} " + source + " ORDER BY "
    for term in terms:
        query += term + ", "
    return query + Sql("r.inserted_at, r.id LIMIT ? OFFSET ?", (limit, offset))


def similar(
    index: Index,
    selection: Wanted,
    settings: str,
    vector: Sequence[float],
    *,
    but: str | None = None,
    limit: int = 100,
    threshold: float | None = None,
) -> Matches:
    """The records with the most similar vectors, scored (1 + cosine) / 2: from 0 to 1.

    `but` is left out. The threshold drops records, but the total still counts them. Raises
    ValueError for a vector of another length.
    """
    import numpy as np

    index.refresh()
    records, matrix = index.matrix(settings)
    if not records:
        return Matches()
    if matrix.shape[1] != len(vector):
        raise ValueError(f"a vector of {len(vector)} numbers, not {matrix.shape[1]}")
    direction = np.asarray(vector, dtype=np.float32)
    scores = (1 + matrix @ (direction / (np.linalg.norm(direction) or 1))) / 2
    allowed = _allowed(index, selection) - {but}
    rows = [row for row, record in enumerate(records) if record in allowed]
    best = sorted(rows, key=lambda row: (-scores[row], records[row]))[:limit]
    nearest = [(records[row], float(scores[row])) for row in best]
    above = [
        (record, score) for record, score in nearest if threshold is None or score >= threshold
    ]
    return Matches(above, len(nearest))


def _allowed(index: Index, selection: Wanted) -> set[str | None]:
    before, source = selection.source()
    query = before + "SELECT r.id " + source
    with index.reading() as connection:
        return {record for (record,) in connection.execute(query.text, query.values)}


def progress(index: Index, dataset: str, user: str | None = None) -> dict[str, int]:
    """The number of records by status; for a user, the number of the user's responses."""
    query, values = (PROGRESS, (dataset,)) if user is None else (USER_PROGRESS, (dataset, user))
    with index.reading() as connection:
        counts = dict(connection.execute(query, values).fetchall())
    return {"total": sum(counts.values()), **counts}


def terms(index: Index, dataset: str, name: str, limit: int) -> list[tuple[str, int]]:
    """The values of a metadata property with their counts, the most frequent first."""
    query = f"SELECT v.value, count(*) {VALUES} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"
    with index.reading() as connection:
        return connection.execute(query, (dataset, name, limit)).fetchall()


def extremes(index: Index, dataset: str, name: str) -> tuple[float | None, float | None]:
    """The smallest and the largest value of a metadata property."""
    query = f"SELECT min(v.value), max(v.value) {VALUES} AND {NUMBER}"
    with index.reading() as connection:
        low, high = connection.execute(query, (dataset, name)).fetchone()
    return low, high
