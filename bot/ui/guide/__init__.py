"""Show people what they can do here: the answers of `/tools` and `/help`, and the panel for everyone."""
