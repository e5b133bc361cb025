"""Tables of fitted models, and model cards."""
