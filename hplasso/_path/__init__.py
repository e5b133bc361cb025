"""One penalty after the other."""
