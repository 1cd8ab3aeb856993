"""Show operators and their tools how the bot is doing: health, metrics, the watchdog, the log."""
