"""The sampling strategies: one file each, and a registry."""

from curate.sample.strategies.registry import STRATEGIES
from curate.sample.strategies.strategy import Chosen, Drawn, Strategy

__all__ = ["STRATEGIES", "Chosen", "Drawn", "Strategy"]
