"""The arithmetic of a mixture: groups, shares, limits, weights, draw. It knows no workspace."""
