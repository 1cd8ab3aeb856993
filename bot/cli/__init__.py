"""Commands of operators beside `run`: check the bot, invite it, back it up, change its keys."""
