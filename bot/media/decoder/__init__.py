"""What runs in the decoder's own processes: `python …/bot/media/decoder` reads requests and answers them.

Everything that meets the bytes of a stranger's file is here. It imports libraries for pictures, and
of the bot `bot.media` alone.
"""
