"""The folder on disk: tables, documents, freshness, the ledger, and one writer at a time.

    my-run/
      recipe.yaml  workspace.json  people.yaml
      pool/ clean/ vectors/<encoder>/ scores/ mix/          folders of Parquet, manifest last
      duplicates.parquet labels.parquet annotators.parquet groups.parquet
      rounds/01/ …                                          what people saw and said
      export/  evaluate.json  estimates.json  report.html  ledger.jsonl

Rounds cannot be recomputed; everything else is a cache that may be deleted.
"""

from curate.workspace.workspace import Workspace

__all__ = ["Workspace"]
