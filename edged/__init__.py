"""edged: a voice-command daemon for Pi-class devices, without any cloud."""

__version__ = "0.1.0"
