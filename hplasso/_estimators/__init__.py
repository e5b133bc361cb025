"""What the user sees of a fit at given penalties."""
