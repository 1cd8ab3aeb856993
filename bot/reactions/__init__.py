"""Jobs that start without a command: by a reaction to a photo, or in a photo channel."""
