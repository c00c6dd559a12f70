"""Write an export again from its `draw.parquet`: the same lines, in the same order and shards.

    draw ──by id──▶ pool · clean ──▶ shards

It needs no scores, no labels and no mixture. What was taken down since does not come back.
"""
