"""Show people what they can do here: the answer of `/help`, and the panel for everyone."""
