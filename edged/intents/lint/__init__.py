"""What is wrong with intent files, all of it, in words that say what to write instead."""
