"""Score texts that are not in the pool, by the heads that `score` has stored."""

from curate.predict.predicting import PredictResult, predict

__all__ = ["PredictResult", "predict"]
