"""Trace a document back to where it came from, and a source or a label on to what hangs on it.

    forward    id ──▶ origin · rules · answers · score · weight · place in the export
    backward   source, annotator, guideline or label ──▶ documents · shards · shares without it

Both read what lies in a workspace, and write nothing.
"""
