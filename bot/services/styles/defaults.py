"""The inputs that members prefer for each tool."""

from collections.abc import Callable, Mapping, Sequence

from bot.aio.batching import Batcher
from bot.aio.bounded import BoundedDict
from bot.catalog import Catalog, Tool
from bot.clock import Clock
from bot.services.service import ToolService
from bot.storage import Storage

REMEMBERED_SERVERS = 5000
MAX_READ_TOGETHER = 500  # members who ask at the same moment
DEFAULTS_REMEMBERED_FOR = 30.0  # seconds: where there are several processes, another one may change them


class DefaultsService(ToolService):
    """Members' own inputs. Which members of a server have any is kept in memory for a while, so that the jobs
    of the others cost no query."""

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock) -> None:
        super().__init__(storage, catalog, clock)
        self._members = BoundedDict[int, tuple[float, frozenset[int]]](REMEMBERED_SERVERS)
        # Of a crowd that comes at the same moment, one asks the database.
        self._reading = Batcher("reading who has defaults", self._read, max_group=MAX_READ_TOGETHER)

    async def of(self, guild_id: int, user_id: int, tool: Tool) -> dict[str, str]:
        """Return the member's inputs for the tool that it still takes."""
        if user_id not in await self._members_of(guild_id):
            return {}
        return (await self.all(guild_id, user_id)).get(tool.slug, {})

    async def all(self, guild_id: int, user_id: int) -> dict[str, dict[str, str]]:
        """Return the member's inputs by tool, without those that the catalogue doesn't have any more."""
        async with self._storage.read() as transaction:
            found = await transaction.member_defaults.of(guild_id, user_id)
        kept = {slug: _taken(self._catalog.tools.get(slug), inputs) for slug, inputs in found.items()}
        return {slug: inputs for slug, inputs in kept.items() if inputs}

    async def set(self, guild_id: int, user_id: int, tool: Tool, inputs: Mapping[str, str]) -> None:
        """Set the member's inputs for the tool. Without any, those that are set are removed."""
        async with self._changing() as transaction:
            await transaction.member_defaults.set(guild_id, user_id, tool.slug, _taken(tool, inputs))
            members = await transaction.member_defaults.members(guild_id)
        self._remember(guild_id, members)

    async def _members_of(self, guild_id: int) -> frozenset[int]:
        known = self._members.get(guild_id)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        return await self._reading.ask(guild_id)

    async def _read(self, take: Callable[[], Sequence[int]]) -> list[frozenset[int]]:
        async with self._storage.read() as transaction:
            guild_ids = take()
            found = {one: await transaction.member_defaults.members(one) for one in set(guild_ids)}
        for guild_id, members in found.items():
            self._remember(guild_id, members)
        return [found[one] for one in guild_ids]

    def _remember(self, guild_id: int, members: frozenset[int]) -> None:
        self._members[guild_id] = (self._clock.monotonic() + DEFAULTS_REMEMBERED_FOR, members)


def _taken(tool: Tool | None, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return those of the inputs that may be preferred, in the tool's order: none for several lines."""
    return {
        one.name: inputs[one.name]
        for one in (tool.inputs if tool is not None else ())
        if not one.long and 0 < len(inputs.get(one.name, "")) <= one.max_length
    }
