"""Fetch the answers, append-only: nothing that a person said is overwritten or dropped.

the round's project ──pull──▶ annotations
"""
