"""The Discord client and its login."""
