"""Open pictures in processes of their own: `python …/bot/media/decoder` reads requests and answers them.

Everything that meets the bytes of a stranger's file is here. It imports libraries for pictures, and
of the bot `bot.media` alone.
"""
