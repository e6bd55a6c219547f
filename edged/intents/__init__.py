"""What can be said: intent files and the house, loaded, checked and compiled into one immutable catalog."""
