"""How the daemon runs on its machine: systemd, wake-ups, and what doctor looks at."""
