"""Jobs that start without a command: by a reaction to a photo, or in a photo channel."""

from bot.reactions.photo_watch import PhotoWatch
