"""The only room that touches X."""
