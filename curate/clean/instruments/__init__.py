"""Instruments measure documents beside the rule sets. `registry` lists them."""
