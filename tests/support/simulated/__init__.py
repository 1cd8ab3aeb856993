"""The whole bot in one process, with simcord in the place of Discord."""
