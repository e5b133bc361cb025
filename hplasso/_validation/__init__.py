"""The border: what parameters, weights and grids may be."""
