"""A simulated Discord around the bot: a server with people and photos, its page in a browser, and a browser to drive it."""
