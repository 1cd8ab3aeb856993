"""Take an accepted job from its row, through Studii, to its person."""

from bot.engine.context import PhotoSource
from bot.engine.engine import Engine
from bot.engine.files import CountedDecoder, Decoder
from bot.engine.tuning import REREAD_ALONE, Tuning
