"""A loss on a design, as the path sees it: states, quadratic models, steps."""
