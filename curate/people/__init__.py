"""people.yaml: who annotates, under which accounts; tables and exports hold only their ids.

    people:
      - id: anna
        name: Anna Li
        accounts: {label_studio: anna@example.org, argilla: anna}
        languages: [en, zh]        # none: every language
        quota: 200                 # the most tasks of one round
        from: 2026-01-01           # asked from this day on
        until: 2026-06-30          # and up to this one

One person on two servers is one annotator. An account that nobody listed is added under an id that
says nothing about the person. If it is listed under another id later, its earlier answers belong to
that person too.
"""

from curate.people.people import NAME, People, Person

__all__ = [
    "NAME",
    "People",
    "Person",
]
