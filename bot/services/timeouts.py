"""How long a person's command, button or form waits before it is answered that the bot is busy."""

COMMAND_WRITE_TIMEOUT = 2.0  # seconds to begin a write; Discord expects the first answer within 3
