"""Speech to text: sources of sound, and Vosk with a vocabulary made from what can be said."""
