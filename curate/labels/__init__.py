"""Settled labels for people to read: the text, the value, and who said what."""
