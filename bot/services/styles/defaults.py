"""The inputs that members prefer for each tool."""

from collections.abc import Mapping

from bot.catalog import Catalog, Tool
from bot.clock import Clock
from bot.services.remembered import RememberedByServer
from bot.services.service import ToolService
from bot.storage import Storage, Transaction


class DefaultsService(ToolService):
    """Members' own inputs. Which members of a server have any is kept in memory for a while, so that the jobs
    of the others cost no query."""

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock) -> None:
        super().__init__(storage, catalog, clock)
        self._members = RememberedByServer("reading who has defaults", storage, clock, _members)

    async def of(self, guild_id: int, user_id: int, tool: Tool) -> dict[str, str]:
        """Return the member's inputs for the tool that it still takes."""
        if user_id not in await self._members.of(guild_id):
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
        self._members.set(guild_id, members)


async def _members(transaction: Transaction, guild_id: int) -> frozenset[int]:
    return await transaction.member_defaults.members(guild_id)


def _taken(tool: Tool | None, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return those of the inputs that may be preferred, in the tool's order: none for several lines."""
    return {
        one.name: inputs[one.name]
        for one in (tool.inputs if tool is not None else ())
        if not one.long and 0 < len(inputs.get(one.name, "")) <= one.max_length
    }
