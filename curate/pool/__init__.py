"""Collect every distinct document, with an id that is its content and an exact token count.

    sources ──pool──▶ pool · duplicates

Workers read the sources part by part into shards; ids alone are shuffled to find exact copies, so
that memory stays flat however large the sources are. What was read before is not read again: new
files become a new batch.
"""
