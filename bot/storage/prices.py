"""What tools were charged at last."""

from datetime import datetime

from sqlalchemy import Text, func, literal, select

from bot.storage.schema import prices
from bot.storage.session import Session


class Prices:
    """Learned prices, in credits, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def learn(self, tool: str, variant: str, charge: int, at: datetime) -> None:
        await self._session.put(prices, {"tool": tool, "variant": variant}, {"charge": charge, "at": at})

    async def last(self, tool: str, variant: str) -> int | None:
        query = select(prices.c.charge).where(prices.c.tool == tool, prices.c.variant == variant)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def all(self) -> dict[tuple[str, str], int]:
        """By tool and variant."""
        rows = (await self._session.execute(select(prices))).mappings()
        return {(row["tool"], row["variant"]): row["charge"] for row in rows}

    async def least(self, tool: str | None = None) -> int | None:
        """The least that any variant of the tool (None: of any tool) was charged at last."""
        query = select(func.min(prices.c.charge))
        if tool is not None:
            query = query.where(prices.c.tool == tool)
        return (await self._session.execute(query)).scalar_one()

    async def dearest(self, tool: str, mode: str | None = None) -> int | None:
        """The most that any variant of the tool (in that mode, `mode=video`) was charged at last."""
        query = select(func.max(prices.c.charge)).where(prices.c.tool == tool)
        if mode is not None:
            padded = literal(" ", Text).concat(prices.c.variant).concat(" ")
            query = query.where(padded.contains(f" {mode} ", autoescape=True))
        return (await self._session.execute(query)).scalar_one()
