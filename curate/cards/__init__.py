"""The documents about a mixture that laws and hubs ask for: facts in, text out.

    dataset card · Croissant · environment     beside every export
    Europe's summary · California's AB 2013    `curate card --eu`, `--ab2013`

Nothing here reads a workspace. Every text of a source, name or licence is quoted (`quoting`).
"""
