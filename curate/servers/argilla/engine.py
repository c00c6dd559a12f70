"""Argilla's search engine: translates Argilla's calls; `search.py` answers them in a thread.

Argilla calls each method after its own commit. Methods that would feed an index do nothing: the
database feeds the index itself.
"""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from argilla_server.enums import MetadataPropertyType, SimilarityOrder, SortOrder
from argilla_server.search_engine import base

from curate.servers.argilla import conditions, search
from curate.servers.argilla.index import Index
from curate.servers.argilla.query import parse
from curate.servers.argilla.search import Matches, Text, Wanted

NAME = "curate"
READERS = 4
MAX_TERMS = 16_384

Result = TypeVar("Result")


def register(index: Index) -> None:
    """Register the engine with Argilla; it answers from this index."""
    Engine.index, Engine.limiter = index, CapacityLimiter(READERS)
    base.SearchEngine.register(NAME)(Engine)


class Engine(base.SearchEngine):  # type: ignore[misc]
    """An engine for one request; all it knows is in the index."""

    index: Index
    limiter: CapacityLimiter

    @classmethod
    async def new_instance(cls) -> Engine:
        """Make an engine for one request."""
        return cls()

    async def close(self) -> None:
        """Do nothing: an engine holds nothing."""

    async def ping(self) -> bool:
        """Answer True: the engine runs wherever the server runs."""
        return True

    async def info(self) -> dict[str, str]:
        """The name of the engine and the version of SQLite."""
        return {"name": NAME, "sqlite": sqlite3.sqlite_version}

    async def search(
        self,
        dataset: Any,
        query: Any = None,
        filter: Any = None,
        sort: Sequence[Any] | None = None,
        offset: int = 0,
        limit: int = 100,
        user_id: UUID | None = None,
    ) -> base.SearchResponses:
        """Find a page of records; Argilla passes `user_id` although the base class lacks it."""
        text = _text(query)
        if query is not None and text is None:
            return _responses(Matches())
        selection = Wanted(dataset.id.hex, _filters(filter), text)
        matches = await self._answer(
            search.search,
            selection,
            sorts=[_sort(order) for order in sort or ()],
            user=str(user_id) if user_id else None,
            offset=offset,
            limit=limit,
        )
        return _responses(matches)

    async def similarity_search(
        self,
        dataset: Any,
        vector_settings: Any,
        value: Sequence[float] | None = None,
        record: Any = None,
        query: Any = None,
        filter: Any = None,
        max_results: int = 100,
        order: Any = SimilarityOrder.most_similar,
        threshold: float | None = None,
    ) -> base.SearchResponses:
        """Find the records nearest to a vector, or to a record, which is left out itself.

        Raises ValueError unless there is exactly one of the two, with a vector.
        """
        vector = value or (record and record.vector_value_by_vector_settings(vector_settings))
        if bool(value) == bool(record) or not vector:
            raise ValueError("a similarity search needs a vector, or a record that has one")
        text = _text(query)
        if query is not None and text is None:
            return _responses(Matches())
        sign = -1 if order == SimilarityOrder.least_similar else 1
        matches = await self._answer(
            search.similar,
            Wanted(dataset.id.hex, _filters(filter), text),
            vector_settings.id.hex,
            [sign * number for number in vector],
            but=record.id.hex if record else None,
            limit=max_results,
            threshold=threshold,
        )
        return _responses(matches)

    async def get_dataset_progress(self, dataset: Any) -> dict[str, int]:
        """Count the pending and the completed records."""
        if dataset.is_draft:
            return {}
        return await self._answer(search.progress, dataset.id.hex)

    async def get_dataset_user_progress(self, dataset: Any, user: Any) -> dict[str, int]:
        """Count a user's responses by status."""
        if dataset.is_draft:
            return {}
        return await self._answer(search.progress, dataset.id.hex, user.id.hex)

    async def compute_metrics_for(self, metadata_property: Any) -> base.MetadataMetrics:
        """The values of a property with their counts, or the range of a number."""
        property_key = metadata_property.dataset_id.hex, metadata_property.name
        if metadata_property.type == MetadataPropertyType.terms:
            counts = await self._answer(search.terms, *property_key, MAX_TERMS)
            values = [
                base.TermsMetrics.TermCount(term=str(term), count=count) for term, count in counts
            ]
            return base.TermsMetrics(total=sum(value.count for value in values), values=values)
        is_integer = metadata_property.type == MetadataPropertyType.integer
        metrics = base.IntegerMetadataMetrics if is_integer else base.FloatMetadataMetrics
        low, high = await self._answer(search.extremes, *property_key)
        return metrics(min=low, max=high)

    async def _answer(
        self, function: Callable[..., Result], *arguments: Any, **options: Any
    ) -> Result:
        call = partial(function, self.index, *arguments, **options)
        return await run_sync(call, limiter=self.limiter)

    async def _nothing_to_do(self, *_: Any, **__: Any) -> None:
        """Do nothing: the tables themselves are read."""

    create_index = delete_index = configure_metadata_property = _nothing_to_do
    configure_index_vectors = index_records = delete_records = _nothing_to_do
    partial_record_update = update_record_response = delete_record_response = _nothing_to_do
    update_record_suggestion = delete_record_suggestion = _nothing_to_do


def _responses(matches: Matches) -> base.SearchResponses:
    items = [
        base.SearchResponseItem(record_id=UUID(record), score=score)
        for record, score in matches.records
    ]
    return base.SearchResponses(items=items, total=matches.total)


def _text(query: Any) -> Text | None:
    """The words to search for; None if there are none."""
    if query is None:
        return None
    query_text, field = (query, None) if isinstance(query, str) else (query.q, query.field)
    parsed = parse(query_text)
    return Text(parsed, field) if parsed else None


def _filters(argilla_filter: Any) -> list[conditions.Filter]:
    if argilla_filter is None:
        return []
    if isinstance(argilla_filter, base.AndFilter):
        return [criterion for part in argilla_filter.filters for criterion in _filters(part)]
    scope = _scope(argilla_filter.scope)
    if isinstance(argilla_filter, base.TermsFilter):
        return [conditions.Terms(scope, [str(value) for value in argilla_filter.values])]
    return [conditions.Range(scope, argilla_filter.ge, argilla_filter.le)]


def _sort(order: Any) -> conditions.Sort:
    return conditions.Sort(_scope(order.scope), order.order == SortOrder.desc)


def _scope(scope: Any) -> conditions.Scope:
    if isinstance(scope, base.RecordFilterScope):
        return conditions.OfRecord(str(scope.property))
    if isinstance(scope, base.MetadataFilterScope):
        return conditions.OfMetadata(scope.metadata_property)
    if isinstance(scope, base.SuggestionFilterScope):
        part = scope.property if scope.property in conditions.PARTS else "value"
        return conditions.OfSuggestion(scope.question, part)
    return conditions.OfResponse(scope.question, scope.user.id.hex if scope.user else None)
