"""Argilla as a backend: client, forms, texts, values, records, answers and accounts."""
