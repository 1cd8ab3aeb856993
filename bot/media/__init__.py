"""Pictures: their kinds, and what can be said of them.

Nothing else is exported here, because the decoder's own processes import this package: `bot.media.photo` has
errors that people read, and `bot.media.pool`, which opens pictures, needs an event loop.
"""

from bot.media.kinds import PhotoKind, sniff
