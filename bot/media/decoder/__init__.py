"""What runs in the decoder's own processes: `python …/bot/media/decoder` reads requests and answers them.

Everything that meets the bytes of a stranger's file is here, and imports `bot.media` and Pillow alone.
"""
