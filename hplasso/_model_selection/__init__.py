"""Choosing a penalty."""
