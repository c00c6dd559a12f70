"""What the page says, in English and Chinese: one file a subject."""
