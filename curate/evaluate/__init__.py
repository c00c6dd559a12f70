"""Ask whether it helped: predictions against people, and the mixture against plain ones.

scores · labels · mix · groups ──evaluate──▶ evaluate.json
"""
