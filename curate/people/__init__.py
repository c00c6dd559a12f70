"""Who annotates: people.yaml, the accounts behind an id, and what each person did."""

from curate.people.people import NAME, People, Person

__all__ = [
    "NAME",
    "People",
    "Person",
]
