"""Choose the mixture: how much of each group, and which documents of it.

    scores · clean ──mix──▶ mix · groups

A strategy asks for the share of each group; a projection moves the shares within the limits.
Weights say which documents of a group are preferred. One draw turns weights into copies.
"""
