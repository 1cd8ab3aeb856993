"""Late answers, a database in use by another program, and what an operator reads in the log."""

import asyncio
import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.delivery.answers import LEFT_UNANSWERED
from sandbox.demo.people import until
from sandbox.demo.place import PHOTO_DESK
from sandbox.discord.emulator import TOKEN
from sandbox.discord.emulator.faults import Fault
from sandbox.discord.emulator.interactions import Interaction
from sandbox.studii import Options
from tests.stories.world import ROOM, Town
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
    here: Town, *, accepted: bool
) -> None:
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
    here: Town,
) -> None:
    with database(here) as other:
        other.execute("BEGIN IMMEDIATE")
        here.discord.fail("answer", Fault(400), Fault(400))  # also the first time that it is tried again
        asked = ask(here, "A red kite")
        await until(lambda: asked.waits, "the answer to be announced")
        other.execute("ROLLBACK")
    await answered(here, asked, "A red kite")


@pytest.mark.promise
async def test_a_member_whose_list_of_tools_was_announced_is_asked_to_try_again(here: Town) -> None:
    here.discord.fail("answer", *NEVER)
    asked = here.discord.send(here.discord.command(PHOTO_DESK, here.maya.id, "help"))
    await until(lambda: asked.waits, "the answer to be announced")
    await here.kill()
    here.discord.faults.clear()
    await here.start()
    await answered(here, asked, str(LEFT_UNANSWERED))


@pytest.mark.promise
@pytest.mark.world(options=Options(long_side=64))
async def test_while_another_program_holds_the_database_nothing_is_lost_and_all_goes_on_afterwards(
    here: Town,
    tmp_path: Path,
) -> None:
    await here.maya.command("studio", prompt="A red kite")
    await until(lambda: len(here.studii.jobs) == 1, "the job")
    with closing(sqlite3.connect(tmp_path / "data" / "studii.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asked = here.discord.send(
            here.discord.command(PHOTO_DESK, here.tom.id, "studio", {"prompt": "A blue kite"})
        )
        await until(lambda: asked.waits, "the person to be told to wait")
        assert here.studii.requests.count("create") == 1
        other.execute("ROLLBACK")
    await until(lambda: len(list(here.pictures())) == 2, "both results")
    assert (len(here.studii.jobs), await here.spent()) == (2, 16)
    trouble = [line for line in here.log if "WARNING" in line or "ERROR" in line]
    assert len(trouble) < 10, trouble
    assert "Traceback" not in "".join(here.log)


LIFE = ("is accepted", "Studii accepted it as", "succeeded", "is posted")


@pytest.mark.promise
@pytest.mark.world(LOG_LEVEL="DEBUG", LOG_FORMAT="json")
async def test_a_jobs_life_is_a_line_for_each_event_and_nothing_secret_is_in_any(here: Town) -> None:
    key = await here.set_key()
    await here.maya.result_after(await here.maya.command("studio", prompt="A red kite"))
    await here.maya.result_after(await here.maya.command("photo-restore", image=ROOM))
    await here.nora.change("moderation words", "rules", words="gorilla")
    await here.maya.command("studio", prompt="A gorilla with a kite")
    await here.kill()
    entries = [json.loads(line) for line in here.log]
    lives = dict[str, list[str]]()
    for one in entries:
        assert {"time", "level", "logger", "message"} <= set(one)
        if "job" in one and one["level"] == "info":
            lives.setdefault(one["job"], []).append(one["message"])
    assert len(lives) == 2
    for lines in lives.values():
        assert [word for word in LIFE for line in lines if word in line] == list(LIFE)
    log = "".join(here.log)
    private = (key.secret, TOKEN, "red kite", "gorilla", "/object/", "ex=")
    assert [one for one in private if one in log] == []
    here.settings |= {"LOG_LEVEL": "WARNING", "LOG_FORMAT": "text"}
    here.log.clear()
    await here.start()
    await here.maya.result_after(await here.maya.command("studio", prompt="A blue kite"))
    assert here.log == []
