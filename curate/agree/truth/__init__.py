"""Truth inference: the most probable answer, by kind of question."""
