"""Sums over everything, for operators."""

from sqlalchemy import func, select

from bot.storage.database.session import Session
from bot.storage.schema import jobs


class Figures:
    """Sums within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def jobs(self) -> dict[tuple[str, str], int]:
        """How many jobs there are, by state and tool."""
        query = select(jobs.c.state, jobs.c.tool, func.count().label("count")).group_by(
            jobs.c.state, jobs.c.tool
        )
        rows = (await self._session.execute(query)).mappings()
        return {(str(row["state"]), row["tool"]): row["count"] for row in rows}

    async def credits(self) -> tuple[int, int]:
        """Credits that are reserved, and credits that were paid."""
        query = select(
            func.coalesce(func.sum(jobs.c.reserved), 0).label("reserved"),
            func.coalesce(func.sum(jobs.c.settled), 0).label("settled"),
        )
        row = (await self._session.execute(query)).mappings().one()
        return int(row["reserved"]), int(row["settled"])
