"""Jobs that start under a photo, without a command: by tapping an emoji, or in a photo channel."""

from bot.reactions.watch import PhotoWatch

__all__ = ["PhotoWatch"]
