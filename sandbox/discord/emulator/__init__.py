"""An emulator of Discord: see `server`."""

from sandbox.discord.emulator.faults import Fault
from sandbox.discord.emulator.limits import Limit, Limits
from sandbox.discord.emulator.places import APPLICATION_ID
from sandbox.discord.emulator.server import TOKEN, DiscordServer
from sandbox.discord.emulator.sessions import Rules
