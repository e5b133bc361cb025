"""Small dense systems and the alternation that they belong to; nothing here knows X or a loss."""
