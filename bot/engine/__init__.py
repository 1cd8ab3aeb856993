"""What happens to a job after it was accepted: from its row, through Studii, to its person."""

from bot.engine.engine import Engine
from bot.engine.guarded_decoder import GuardedDecoder
from bot.engine.ports import Delivery, PhotoSource
from bot.engine.spool import Spool
from bot.engine.tuning import Tuning

__all__ = ["Delivery", "Engine", "GuardedDecoder", "PhotoSource", "Spool", "Tuning"]
