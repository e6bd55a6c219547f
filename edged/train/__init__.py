"""Makes the adapter that teaches the LM to read catalogues and to answer: sentences, lessons, training, conversion.

An extra for `edged train`: the daemon never imports it.
"""
