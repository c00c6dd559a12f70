"""A run: the recipe as one closed model, and the walk through its stages."""
