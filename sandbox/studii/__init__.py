"""The Studii API on loopback, to try the bot and to test it.

It follows the public documentation of the API and shares no code with the bot, so that one misreading cannot
hide in both.
"""

from sandbox.studii import faults
from sandbox.studii.clock import Clock, RealClock
from sandbox.studii.faults import Endpoint, Fault
from sandbox.studii.jobs import PROMPT_CONVENTIONS, Durations, Job, Outcome, Output
from sandbox.studii.keys import Account, Key, Plan
from sandbox.studii.ratelimit import RateStyle
from sandbox.studii.record import RequestRecord
from sandbox.studii.server import StudiiServer
from sandbox.studii.uploads import Upload
from sandbox.studii.world import Options
