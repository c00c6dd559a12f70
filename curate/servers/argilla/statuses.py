"""The status of records, brought in line with the number of answers that a dataset asks for.

Argilla does this record by record in a job behind Redis, after every change of a dataset. Here it
is one statement. It runs after such a change, and at each start in case a kill came between.
"""

from __future__ import annotations

from datetime import UTC, datetime

from curate.servers.argilla.index import Index

SETTLE = """
UPDATE records AS r SET status = new.status, updated_at = ?
    FROM (
        SELECT x.id, CASE
            WHEN (SELECT count(*) FROM responses a WHERE a.record_id = x.id
                  AND +a.status = 'submitted') >= json_extract(d.distribution, '$.min_submitted')
            THEN 'completed' ELSE 'pending' END AS status
        FROM records x JOIN datasets d ON d.id = x.dataset_id
        WHERE d.status = 'ready' AND (? IS NULL OR d.id = ?)
    ) AS new
    WHERE r.id = new.id AND r.status <> new.status
"""


def settle(index: Index, dataset: str | None = None) -> int:
    """Correct the statuses in a dataset, or in all; return the number that were wrong."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return index.write(SETTLE, (now, dataset, dataset))
