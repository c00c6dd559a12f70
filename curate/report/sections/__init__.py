"""The sections of the page, one file a subject."""
