"""Label Studio as a backend: client, values, answers and accounts."""
