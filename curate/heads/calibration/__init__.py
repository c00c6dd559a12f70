"""Calibration: from the logits of a head to probabilities that come true."""

from curate.heads.calibration.methods import METHODS, Calibrator, fit

__all__ = ["METHODS", "Calibrator", "fit"]
