"""Doctor's check of the processes that share a PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.cli.findings import Finding, Verdict
from bot.client.login import recommended_shards
from bot.config import Settings
from bot.errors import StudiiBotError
from bot.storage import ProcessInfo, ProcessTable, schema_of, usable_database


async def processes(settings: Settings) -> list[Finding]:
    """List the processes, the shards of each, and those that no process serves.

    Raises `SettingsError` if the database can't be reached.
    """
    url = settings.database_url
    if not (await schema_of(url)).current:
        return [Finding("Bot", Verdict.GOOD, "No bot of this version is running on this database.")]
    with usable_database(url):
        async with ProcessTable.open(url) as table:
            known, free, counts = await table.processes(), await table.free(), await table.counts()
    alive = [one for one in known if one.alive]
    found = [] if alive else [Finding("Bot", Verdict.GOOD, "No bot is running on this database.")]
    found += [_described(one, counts.shards) for one in known]
    if alive and free:
        words = (
            f"No process serves {_shards(free)} of {counts.shards}, so the servers there get no answer. "
            "Start another process, or raise SHARDS_PER_PROCESS."
        )
        found.append(Finding("Shards", Verdict.STOPS, words))
    return [*found, *await _recommendation(settings, counts.shards)]


async def _recommendation(settings: Settings, shards: int) -> list[Finding]:
    """Say when Discord recommends more shards than there are."""
    if not shards:
        return []
    try:
        recommended = await recommended_shards(settings.discord_token.reveal(), settings.proxy)
    except StudiiBotError:
        return []  # what is in the way of the login is told by the check of Discord
    if recommended <= shards:
        return []
    words = (
        f"Discord recommends {recommended} shards, and there are {shards}. Stop all processes, set "
        f"SHARD_COUNT to {recommended}, and start them again."
    )
    return [Finding("Shards", Verdict.WARN, words)]


def _described(process: ProcessInfo, count: int) -> Finding:
    who = _who(process)
    if not process.alive:
        return Finding("Process", Verdict.WARN, f"{who} has ended without giving its shards back.")
    if process.since is None:
        return Finding("Process", Verdict.GOOD, f"{who} has stood by since {_time(process.started_at)}.")
    words = f"{who} has served {_shards(process.shards)} of {count} since {_time(process.since)}."
    return Finding("Process", Verdict.GOOD, words)


def _who(process: ProcessInfo) -> str:
    return f"{process.name} (number {process.epoch}, version {process.version})"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _shards(shards: Sequence[int]) -> str:
    listed = ", ".join(map(str, shards))
    return f"{'shard' if len(shards) == 1 else 'shards'} {listed}"
