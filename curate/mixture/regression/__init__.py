"""Losses of trained runs as functions of their mixtures: models, baselines, honest figures."""
