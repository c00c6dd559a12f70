"""Collect every distinct document, with an id that is a hash of it and an exact token count.

    sources ──pool──▶ pool · duplicates

Workers read the sources part by part and write shards. Only ids are shuffled to find exact copies,
so memory stays flat for sources of any size. Files that were read before are not read again: new
files become a new batch.
"""
