"""Ways to make tests cheap that change nothing of what they show."""
