"""Makes the adapter that teaches the LM the form of its answers: sentences, training, conversion, scores.

An extra for the bench and the curious: the daemon never imports it. `python -m edged.train --help` starts it.
"""
