"""Everything around the bot in one simulation: the machine, the servers, and the people's server."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sandbox.discord.emulator.places import EVERYONE_PERMISSIONS, OWNER_ID, Guild
from tests.simulation.discord_world import Discord
from tests.simulation.faults import Faults
from tests.simulation.loop import EPOCH, Clock
from tests.simulation.machine import Machine
from tests.simulation.network import Network
from tests.simulation.studii_world import Studii

GUILD, GENERAL, SHOWROOM = 2001 << 22, 3001, 3002
ADMIN = OWNER_ID
MEMBERS = tuple(range(5001, 5007))
SETTLING = 300.0  # seconds at the beginning without faults, in which the server is set up
QUIET = 12 * 3600.0  # seconds at the end without people and faults, in which everything has to end


class World:
    """One simulation's world.

    People act and things go wrong until `ends`. `counts` is what happened, `broken` the promises that were
    broken. `number` gives each request a number by which the books know it again, at Studii too.
    """

    def __init__(self, clock: Clock, hours: float, folder: Path) -> None:
        self.clock = clock
        self.ends = EPOCH + SETTLING + hours * 3600
        self.faults = Faults(clock, self.ends, EPOCH + SETTLING)
        self.network = Network(clock, self.faults)
        self.discord = Discord(clock, self.network)
        self.studii = Studii(clock, self.network)
        self.machine = Machine(clock, self.network, folder)
        self.guild: Guild = self.discord.add_guild(GUILD, (GENERAL, SHOWROOM), everyone=EVERYONE_PERMISSIONS)
        self.key = self.studii.new_key("team", 1_000_000)
        self.counts = Counter[str]()
        self.broken: list[str] = []
        self.last_number = 0
        self.at_minute: list[Callable[[], None]] = []

    @property
    def busy(self) -> bool:
        """Return whether people still act."""
        return self.clock.now < self.ends

    def number(self) -> int:
        self.last_number += 1
        return self.last_number

    def breaks(self, promise: str) -> None:
        """Note that a promise was broken."""
        self.clock.note("BROKEN", promise)
        self.broken.append(f"{self.clock.passed / 3600:.3f} h: {promise}")
