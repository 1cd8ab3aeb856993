"""Take an accepted job from its row, through Studii, to its person."""

from bot.engine.engine import Engine
from bot.engine.ports import PhotoSource
from bot.engine.tuning import REREAD_ALONE, Tuning
from bot.engine.workers.counted_decoder import CountedDecoder, Decoder
