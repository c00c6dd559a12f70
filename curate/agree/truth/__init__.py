"""Truth inference: what the answer probably is, by kind of question."""
