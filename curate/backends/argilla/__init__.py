"""Argilla as a backend: client, records, forms, values and accounts."""
