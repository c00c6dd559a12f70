"""What measures documents beside the rule sets; `registry` lists the instruments."""
