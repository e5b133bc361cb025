"""Losses in prediction space: they know y and weights, neither X nor a solver."""
