"""Media of an export: brought from where they lie, checked, and written without places."""
