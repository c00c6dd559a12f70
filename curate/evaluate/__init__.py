"""Measure the result: predictions against people, and the mixture against plain ones.

scores · labels · mix · groups ──evaluate──▶ evaluate.json
"""
