"""What an operator does beside running the bot: look it over, invite it, back it up, change its keys."""
