"""How values are said in each language, and which values words say: one table a language, read in both directions."""
