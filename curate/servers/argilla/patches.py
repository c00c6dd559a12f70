"""The changes to argilla-server 2.8.0, and to no other version, made before it starts.

    needless work   a validator for every record, events for webhooks that do not exist
    Redis           lives in this process; the only job that is ever queued is done at once
    others          the page of one record shows an annotator their own response alone
    deletion        what is deleted is overwritten in the database
    media           an image may lie at a signed address of this server (`servers/shelf.py`)
    the network     webhooks, and import from and export to a hub, are refused in `guard.py`

The first makes ingest about ten times faster. No change affects what is stored.
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from curate.servers.argilla.index import Index
from curate.servers.argilla.statuses import settle
from curate.servers.shelf import PLACE

LOG = logging.getLogger("curate")


def keep_redis_in_the_process() -> None:
    """Replace Redis by one in memory; call it before Argilla is loaded."""
    import fakeredis
    import redis

    server = fakeredis.FakeServer()
    redis.from_url = lambda *_, **__: fakeredis.FakeStrictRedis(server=server)


def build_validators_once() -> None:
    """Let questions and metadata properties share a validator instead of building one each time."""
    from argilla_server.models import database
    from pydantic import TypeAdapter

    for model, settings in (
        (database.Question, database.QuestionSettings),
        (database.MetadataProperty, database.MetadataPropertySettings),
    ):
        model.parsed_settings = _parsed(TypeAdapter(settings).validate_python)


def _parsed(validate: Callable[[Any], Any]) -> property:
    return property(lambda owner: validate(owner.settings))


def build_no_events() -> None:
    """Build no events: there are no webhooks to send them to."""
    from argilla_server.bulk import records_bulk
    from argilla_server.contexts import datasets, distribution, records

    async def no_events(*_: Any) -> list[Any]:
        return []

    for module in (records_bulk, datasets, distribution, records):
        for name in [name for name in vars(module) if name.startswith("notify_")]:
            setattr(module, name, no_events)


def show_no_others() -> None:
    """Let one record show an annotator their own response alone, as the pages do."""
    from argilla_server.api.policies.v1 import RecordPolicy
    from sqlalchemy.orm.attributes import set_committed_value

    allowed_by = RecordPolicy.get

    def get(record: Any) -> Callable[[Any], Awaitable[bool]]:
        allowed = allowed_by(record)

        async def is_allowed(actor: Any) -> bool:
            if not await allowed(actor):
                return False
            if actor.is_annotator:
                own = [response for response in record.responses if response.user_id == actor.id]
                set_committed_value(record, "responses", own)
            return True

        return is_allowed

    RecordPolicy.get = staticmethod(get)


def show_our_media() -> None:
    """Let the image of a record lie at an address of ours, which names no server."""
    from argilla_server.validators.records import RecordValidatorBase

    validated = RecordValidatorBase._validate_image_field.__func__

    def validate(cls: Any, name: str, value: str | None) -> None:
        if not (isinstance(value, str) and PLACE.fullmatch(value)):
            validated(cls, name, value)

    RecordValidatorBase._validate_image_field = classmethod(validate)


def overwrite_what_is_deleted() -> None:
    """Let every connection of Argilla overwrite what it deletes with zeros."""
    import argilla_server.database  # noqa: F401  its own listener comes first
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def secure(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()


def settle_at_once(index: Index) -> None:
    """Correct the records' statuses in a thread at once, where Argilla would queue a job."""
    from argilla_server.jobs import dataset_jobs

    running: set[asyncio.Future[Any]] = set()

    def done(future: asyncio.Future[Any]) -> None:
        running.discard(future)
        if error := future.exception():
            LOG.error("statuses could not be settled", exc_info=error)

    def delay(dataset: UUID) -> None:
        future = asyncio.get_running_loop().run_in_executor(None, settle, index, dataset.hex)
        running.add(future)
        future.add_done_callback(done)

    dataset_jobs.update_dataset_records_status_job.delay = delay
