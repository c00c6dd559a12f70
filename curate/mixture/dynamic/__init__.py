"""Weights of groups that follow the losses while a model trains."""

from curate.mixture.dynamic.mixer import OnlineMixer

__all__ = ["OnlineMixer"]
