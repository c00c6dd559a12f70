"""Answers on their way home: fetched from a project, checked, and stored append-only."""
