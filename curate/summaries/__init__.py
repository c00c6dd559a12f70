"""What the tables of a workspace know of its export, for the summaries that laws ask for.

export · pool · clean · mix · ledger ──▶ facts ──▶ Europe's summary, California's AB 2013
"""
