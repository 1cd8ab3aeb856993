"""How the bot is doing, for operators and their tools: health, metrics, the watchdog, the log."""
