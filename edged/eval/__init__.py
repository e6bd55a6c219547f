"""How well it understands: rows of sentences with what they should give, scored, counted and calibrated."""
