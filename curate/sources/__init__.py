"""The sources: their settings, their files, and the rows that readers make of them.

sources ──find──▶ files ──parts──▶ parts ──read──▶ rows
"""
