"""Runs of small models on many mixtures: which models foretell their losses, and what to train."""
