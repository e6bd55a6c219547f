"""What edged costs beside its peers, measured in one run: `core` the sampling alone, `command` a whole command."""
