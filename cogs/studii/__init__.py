"""The commands of `/studii`, with which admins set up the bot in their server."""
