"""Open pictures in processes of their own: `python …/bot/media/decoder` answers requests to do so.

Everything that meets the bytes of a stranger's file is here. It imports libraries for pictures, and of the
bot `bot.media` alone.
"""

import ctypes
import sys

MEBIBYTE = 1024 * 1024
SMALL, LARGE = 140 * MEBIBYTE, 560 * MEBIBYTE
"""Bytes of memory for a small picture, such as one of 12 megapixels, and for a large one."""

BUSY = 3
"""How many times longer a decoder may take than the seconds of the processor that it may use."""


def hide_memory() -> None:
    """Keep other processes of the same user from reading this one's memory and environment.

    A file that has taken over a decoder could otherwise read the bot's secrets there, or other files.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
