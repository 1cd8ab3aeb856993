"""Whoever was told that the answer will come is answered: around lost answers, outages and kills."""

import asyncio
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.delivery.answers import LEFT_UNANSWERED
from bot.ui.kit.answers import LateAnswer
from sandbox.demo.people import until
from sandbox.demo.place import PHOTO_DESK
from sandbox.discord.emulator.faults import Fault
from sandbox.discord.emulator.interactions import Interaction
from tests.stories.world import Town, town
from tests.support.patience import PATIENCE

LOST = (Fault(502, after=True), Fault(None, after=True))
NEVER = [Fault(delay=10 * PATIENCE)] * 9


@contextmanager
def database(here: Town) -> Generator[sqlite3.Connection]:
    """Open the bot's database as another program does."""
    with closing(sqlite3.connect(here.folder / "data" / "studii.db", isolation_level=None)) as other:
        yield other


def ask(here: Town, prompt: str) -> Interaction:
    """Let Maya ask for a picture."""
    asked = here.discord.command(PHOTO_DESK, here.maya.id, "studio", {"prompt": prompt})
    return here.discord.send(asked)


async def answered(here: Town, asked: Interaction, words: str) -> None:
    """Wait until the answer has these words, and no answer is still to be given."""
    await until(lambda: words in str(asked.said), f"{words!r} in the answer")
    with database(here) as other:
        left = "SELECT count(*) FROM answers WHERE subject IS NULL"
        await until(lambda: other.execute(left).fetchone() == (0,), "all to be answered")


@pytest.mark.promise
@pytest.mark.parametrize("accepted", [False, True])
async def test_who_was_told_to_wait_is_answered_though_discords_answer_is_lost(
    tmp_path: Path, *, accepted: bool
) -> None:
    async with town(tmp_path) as here:
        with database(here) as other:
            if not accepted:
                other.execute("UPDATE guilds SET budget_limit = 1")
            for number, call in enumerate(("callback", "answer") * 2):
                other.execute("BEGIN IMMEDIATE")
                here.discord.fail(call, LOST[number // 2])
                asked = ask(here, f"Kite {number}")
                await until(lambda asked=asked: asked.waits, "the answer to be announced")
                await asyncio.sleep(0.5)
                other.execute("ROLLBACK")
                await answered(here, asked, f"Kite {number}" if accepted else "1 of 1 credit")


@pytest.mark.promise
async def test_who_was_told_to_wait_is_answered_without_a_restart_when_discord_takes_it(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        with database(here) as other:
            other.execute("BEGIN IMMEDIATE")
            here.discord.fail("answer", Fault(400), Fault(400))  # also the first time that it is tried again
            asked = ask(here, "A red kite")
            await until(lambda: asked.waits, "the answer to be announced")
            other.execute("ROLLBACK")
        await answered(here, asked, "A red kite")


@pytest.mark.promise
async def test_a_member_whose_list_of_tools_was_announced_is_asked_to_try_again(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        here.discord.fail("answer", *NEVER)
        asked = here.discord.send(here.discord.command(PHOTO_DESK, here.maya.id, "help"))
        await until(lambda: asked.waits, "the answer to be announced")
        await here.kill()
        here.discord.faults.clear()
        await here.start()
        await answered(here, asked, str(LEFT_UNANSWERED[LateAnswer.VIEW]))
