"""The rule sets, one file each, most of them named after a paper. `registry` lists them."""
