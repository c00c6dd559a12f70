"""Compare two mixtures or exports, down to documents, and say why each differs.

    two sides ──by id──▶ documents that differ, with reasons · groups · the first stage that differs

A side is a workspace with a mixture, or the folder of an export. Documents are brought together in
buckets of ids on disk, so memory does not depend on their number.
"""
