"""From intents to device commands and to the broker: mapping and drivers are pure, link and mqtt do the I/O."""
