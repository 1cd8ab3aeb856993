"""A simulated Discord around the bot: people, a channel, its page, and a browser to drive the page."""
