"""Choosing a penalty, or features."""
