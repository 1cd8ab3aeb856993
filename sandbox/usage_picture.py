"""Draws docs/usage.png: a month of a lively community, through the bot's own code.

python -m sandbox.usage_picture [FILE]
"""

import asyncio
import math
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.credits import budgets, ledger
from bot.credits.usage import Span, report
from bot.db import Database
from bot.jobs import accept, queries
from bot.jobs.models import Job, JobState
from bot.migrate import migrate
from bot.servers.settings import Period
from bot.ui.admin.chart_picture import draw
from bot.ui.admin.usage import usage_chart
from sandbox.demo.pictures import named_path, save_files

USAGE_GUILD = 1
NOW = datetime(2026, 3, 30, 20, tzinfo=UTC)
COSTS = {"studio": 8, "virtual-staging": 8, "photo-restore": 5, "product-background": 5, "career-photo": 10}
SHARES = {"studio": 7, "virtual-staging": 4, "photo-restore": 3, "product-background": 2, "career-photo": 2}


async def fill(db: Database, days: int = 30, seed: int = 7) -> None:
    """Add jobs as a community of some hundred people would ask for them: more in the evenings of weekends."""
    await db.write(_fill, days, random.Random(seed))  # noqa: S311 - the same picture each time


def _fill(session: Session, days: int, chance: random.Random) -> None:
    budgets.set_budget(session, USAGE_GUILD, 250, Period.DAY, at=NOW - timedelta(days=60))
    for number in range(days):
        day = NOW - timedelta(days=days - 1 - number)
        wave = 12 + 6 * math.sin(number / 4) + (7 if day.weekday() >= 5 else 0)
        for index in range(max(2, round(chance.gauss(wave, 3)))):
            tool = chance.choices(list(SHARES), list(SHARES.values()))[0]
            at = day.replace(hour=8) + timedelta(minutes=chance.randrange(0, 700))
            job = _job(f"{number:08x}{index:08x}", tool, 100 + int(chance.paretovariate(0.6)) % 60, at)
            accept.store(session, [job], at)
            _settle(session, job.id, at)


def _settle(session: Session, job_id: str, at: datetime) -> None:
    if (job := queries.find(session, job_id)) is not None:
        ledger.settle(session, job, job.estimate, at)


def _job(job_id: str, tool: str, user_id: int, at: datetime) -> Job:
    return Job(
        id=job_id,
        guild_id=USAGE_GUILD,
        channel_id=2,
        user_id=user_id,
        tool=tool,
        inputs={},
        variant="",
        source=None,
        private=False,
        state=JobState.SUCCEEDED,
        version=1,
        created_at=at,
        changed_at=at,
        estimate=COSTS[tool],
        reserved=COSTS[tool],
        settled=0,
    )


async def picture() -> bytes:
    """Return the picture, as PNG."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'studii.db'}"
        await migrate(url)
        async with Database.open(url) as db:
            await fill(db)
            month = await db.read(report, USAGE_GUILD, Span.DAYS_30, NOW)
    return draw(usage_chart(month, Catalog.load(), Span.DAYS_30))


def main() -> None:
    """Write the picture."""
    file = named_path(__doc__, "docs/usage.png")
    save_files({file.name: asyncio.run(picture())}, file.parent)


if __name__ == "__main__":
    main()
