"""The inputs that members prefer."""

from collections.abc import Mapping

from sqlalchemy import bindparam, select
from sqlalchemy.engine import RowMapping

from bot.storage.database.repository import Repository
from bot.storage.database.unreadable import json_object
from bot.storage.schema import member_defaults

_KEY = tuple(member_defaults.primary_key.columns)


class MemberDefaults(Repository):
    """Members' own inputs within one transaction."""

    async def of(self, guild_id: int, user_id: int) -> dict[str, Mapping[str, str]]:
        """Return the member's inputs in the server, by tool."""
        mine = {"guild": guild_id, "user": user_id}
        return dict(await self._session.rows(_OF, defaults_of, _KEY, mine))

    async def members(self, guild_id: int) -> frozenset[int]:
        """Return the members of the server who prefer any input."""
        return frozenset((await self._session.execute(_MEMBERS, {"guild": guild_id})).scalars())

    async def set(self, guild_id: int, user_id: int, tool: str, inputs: Mapping[str, str]) -> None:
        """Set the member's inputs for a tool. Without any, those that are stored are removed."""
        key = {"guild_id": guild_id, "user_id": user_id, "tool": tool}
        if inputs:
            await self._session.put(member_defaults, key, {"inputs": dict(inputs)})
        else:
            await self._session.remove(member_defaults, key)


def defaults_of(row: RowMapping) -> tuple[str, Mapping[str, str]]:
    """Return a row's tool and inputs. Raises `TypeError` if these are no JSON object."""
    return row["tool"], json_object(row["inputs"])


# Statements, made once (see `Session.execute`).
_IN_GUILD = member_defaults.c.guild_id == bindparam("guild")
_OF = select(member_defaults).where(_IN_GUILD, member_defaults.c.user_id == bindparam("user"))
_MEMBERS = select(member_defaults.c.user_id).where(_IN_GUILD).distinct()
