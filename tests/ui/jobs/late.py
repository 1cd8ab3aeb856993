"""A desk at which answers are late, and what has been kept of them for a start after a kill."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from simcord import InteractionResult, MemberActor, ResponseMessage

from bot.client.bot import ANSWERING_LEFT
from bot.db import Database
from bot.delivery import DeferralFiles, DeferralJournal, LateAnswers
from bot.delivery.deferrals.late_answers import LEFT_UNANSWERED
from bot.jobs.accept import Acceptor
from bot.ui.kit import first_answer
from bot.ui.kit.deferral import LateAnswer
from bot.vault import Vault
from tests.support.desk import Desk, open_desk, texts
from tests.support.patience import PATIENCE


@asynccontextmanager
async def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Desk]:
    """A desk at which every answer that waits for the database is late."""
    monkeypatch.setattr(first_answer, "_later", at_once)
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        keep(desk, tmp_path)
        monkeypatch.setattr(desk.env.backend, "delete_message", deletes_as_discord(desk.env.backend))
        yield desk


def deletes_as_discord(backend: Any) -> Callable[[int, int], None]:
    """In the simulation, a deferral that was deleted goes on to take the next followup for its answer."""
    delete = backend.delete_message

    def delete_message(channel_id: int, message_id: int) -> None:
        delete(channel_id, message_id)
        for record in backend.interactions.values():
            if record.message_id == message_id:
                record.complete_deferred()

    return delete_message


def at_once(_seconds: float, call: Callable[[], None]) -> asyncio.Handle:
    return asyncio.get_running_loop().call_soon(call)


def keep(desk: Desk, folder: Path) -> DeferralJournal:
    """Let the bot keep its deferrals."""
    vault = Vault.open([Fernet.generate_key().decode()], folder / "none.key")
    journal = DeferralJournal(DeferralFiles(folder / "deferrals"), vault, desk.clock)
    _attached(desk, journal)
    return journal


def begin_answering(desk: Desk) -> None:
    """Let the bot answer what is left in a task of its own, as it does while it runs."""
    desk.bot._begin(desk.bot._answer_left(), ANSWERING_LEFT)  # pyright: ignore[reportPrivateUsage]


def _attached(desk: Desk, journal: DeferralJournal) -> LateAnswers:
    answers = LateAnswers(journal, desk.bot, desk.services.db, desk.bot.catalog, desk.bot.readers)
    desk.bot.attach(desk.services, desk.delivery, desk.clock, journal, answers.run)
    return answers


async def asked(desk: Desk, member: MemberActor, folder: Path, **options: object) -> InteractionResult:
    """Return the result of a command that is given while another writer holds the database."""
    async with desk.storage.write():
        answer = asyncio.create_task(member.slash(desk.channel, "studio", prompt="A kite", **options))
        await announced(folder)
    return await answer


def told_to_run_again(shown: InteractionResult) -> ResponseMessage:
    """The one message that says, in answer to the command, that nothing was started."""
    (told,) = shown.followups
    assert str(LEFT_UNANSWERED[LateAnswer.CARD]) in texts(told)
    return told


async def left_unanswered(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractionResult:
    """A command whose answer had been announced when the process was killed, and which started nothing."""

    with monkeypatch.context() as patch:
        patch.setattr(Acceptor, "_decide", killed_within)
        return await asked(desk, desk.maya, tmp_path)


async def announced(folder: Path) -> None:
    """Wait until Discord has been told that an answer will come."""
    async with asyncio.timeout(PATIENCE):
        while not list((folder / "deferrals").glob("*.deferred")):  # noqa: ASYNC110 - a thread writes it
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def kept(folder: Path) -> list[Path]:
    return list((folder / "deferrals").iterdir())


async def are_kept(folder: Path, number: int) -> None:
    """Return when the bot keeps that many deferrals."""
    async with asyncio.timeout(PATIENCE):
        while len(kept(folder)) < number:  # noqa: ASYNC110 - a thread writes them
            await asyncio.sleep(0.01)


async def all_answered(folder: Path) -> None:
    """Return when the bot has given all answers that it keeps."""
    async with asyncio.timeout(PATIENCE):
        while kept(folder):  # noqa: ASYNC110 - a thread deletes them
            await asyncio.sleep(0.005)


async def restarted(desk: Desk, journal: DeferralJournal) -> None:
    """Answer what an earlier life of the process left unanswered, as each start does."""
    await begin_another_life(desk, journal).answer_left()


def begin_another_life(desk: Desk, journal: DeferralJournal) -> LateAnswers:
    """Let the bot go on with a new journal in the place of that one, as after a restart."""
    store, vault = journal._store, journal._vault  # pyright: ignore[reportPrivateUsage]
    return _attached(desk, DeferralJournal(store, vault, desk.clock))


async def killed(*_: object, **__: object) -> None:
    """Stand for a call during which the process is killed."""
    raise asyncio.CancelledError


def killed_within(*_: object) -> None:
    """Stand for a function of a transaction during which the process is killed."""
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
