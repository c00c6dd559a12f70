"""The rule sets of the literature, one file a paper; `registry` lists them."""
