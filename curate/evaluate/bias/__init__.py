"""Who is kept, scored and drawn: documents by language, source, length, or what `meta` holds."""
