"""Calibration: from the logits of a head to probabilities that come true."""

from curate.heads.calibration.calibrator import Calibrator, OutOfFold
from curate.heads.calibration.choosing import METHODS, Calibration, Method, cross_fitted, fit
from curate.heads.calibration.grouped import Grouped, cross_fitted_grouped, fit_grouped
from curate.heads.calibration.storing import arrays_of, from_arrays

__all__ = [
    "METHODS",
    "Calibration",
    "Calibrator",
    "Grouped",
    "Method",
    "OutOfFold",
    "arrays_of",
    "cross_fitted",
    "cross_fitted_grouped",
    "fit",
    "fit_grouped",
    "from_arrays",
]
