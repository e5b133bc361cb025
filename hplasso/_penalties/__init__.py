"""What a penalty says of correlations and coefficients."""
