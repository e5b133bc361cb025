"""Helpers of numerical work: factorisations, threads, array types."""
