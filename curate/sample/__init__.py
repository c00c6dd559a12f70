"""Choose which documents people see next, and with what probability.

clean ──sample──▶ a new round: sample · texts as shown · frame
"""
