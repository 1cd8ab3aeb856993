"""Facts and pure rules."""
