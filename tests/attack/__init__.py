"""A runnable collection of attacks: `python -m tests.attack`."""
