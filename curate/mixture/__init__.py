"""What a mixture is: shares, limits, weights and the draw. Knows no workspace."""
