"""A desk whose bot keeps its answers, at which answers may be late, and what a start after a kill finds."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from simcord import InteractionResult, MemberActor
from sqlalchemy import select

from bot.db import Database
from bot.delivery import answers as answers_module
from bot.jobs.accept import Acceptor
from bot.jobs.answers import Reply
from bot.ui.kit import answers as kit_answers
from tests.support.database import holding
from tests.support.desk import Desk, keep_answers, open_desk
from tests.support.patience import until


@asynccontextmanager
async def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Desk]:
    """A desk at which every answer that waits for the database is late."""
    monkeypatch.setattr(kit_answers, "_later", at_once)
    async with kept_desk(tmp_path, monkeypatch) as desk:
        yield desk


@asynccontextmanager
async def kept_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Desk]:
    """A desk whose bot keeps its answers. They are edited while `answering` lasts."""
    keep_at_once(monkeypatch)
    async with open_desk(tmp_path, key=True) as desk:
        yield desk


def keep_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers be kept and edited as soon as there is something to do."""
    monkeypatch.setattr(answers_module, "GATHERED", 0.0)
    monkeypatch.setattr(answers_module.Answers, "_write", write)


def at_once(_seconds: float, call: Callable[[], None]) -> asyncio.Handle:
    return asyncio.get_running_loop().call_soon(call)


async def write(answers: Any, work: Any, *args: Any, **more: Any) -> None:
    """Wait for a write for some turns of the loop: whoever holds the database has it for long."""
    task = answers._begin(answers._stored(answers._db.write(work, *args, **more)))
    for _ in range(50):
        if not task.done():
            await asyncio.sleep(0)


@asynccontextmanager
async def answering(desk: Desk) -> AsyncGenerator[None]:
    """Let the bot's answers be edited and given."""
    task = asyncio.create_task(desk.bot.answers.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def restarted(desk: Desk) -> None:
    """Answer what an earlier life of the process left unanswered, as each start does."""
    keep_answers(desk)
    async with answering(desk):
        await all_answered(desk)


async def kept(desk: Desk) -> list[Reply]:
    """Return what is kept of answers that are still to be given."""
    return [one for one in await rows(desk) if one.subject is None]


async def rows(desk: Desk) -> list[Reply]:
    """Return all answers that are kept."""
    return await desk.db.read(lambda session: list(session.scalars(select(Reply))))


async def all_answered(desk: Desk) -> None:
    """Return when the bot has given all answers that it keeps."""

    async def none() -> bool:
        return all(one.shown for one in await rows(desk))

    await until(none)


async def announced(desk: Desk, number: int = 1) -> None:
    """Wait until Discord has been told that so many answers will come."""
    await until(lambda: sum(one.loading for one in desk.env.backend.interactions.values()) >= number)
    await asyncio.sleep(0.05)


async def asked(desk: Desk, member: MemberActor, **options: object) -> InteractionResult:
    """Return the result of a command that is given while another writer holds the database."""
    async with holding(desk.db):
        answer = asyncio.create_task(member.slash(desk.channel, "studio", prompt="A kite", **options))
        await announced(desk)
    return await answer


async def left_unanswered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> InteractionResult:
    """A command whose answer had been announced when the process was killed, and which started nothing."""

    async def killed_before(*_: object) -> None:
        await desk.db.write(lambda _session: None)
        killed()

    with monkeypatch.context() as patch:
        patch.setattr(Acceptor, "accept_all", killed_before)
        shown = await asked(desk, desk.maya)

    async def stored() -> bool:
        return bool(await kept(desk))

    await until(stored)
    return shown


def killed(*_: object, **__: object) -> None:
    """Stand for a call during which the process is killed."""
    raise asyncio.CancelledError


def slow_to_read(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let all wait before they use the database, also for others, until the event."""
    go_on = asyncio.Event()

    def slow(use: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def waits(*args: Any, **more: Any) -> Any:
            await go_on.wait()
            return await use(*args, **more)

        return waits

    for use in ("read", "write_together"):
        monkeypatch.setattr(Database, use, slow(getattr(Database, use)))
    return go_on
