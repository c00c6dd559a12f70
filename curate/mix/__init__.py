"""Choose the mixture: how much of each group, and which documents of it.

    scores · clean ──mix──▶ mix · groups

Between groups a strategy asks for shares, a projection keeps them within the limits; within a
group weights say which documents are preferred; one draw turns weights into copies.
"""
