"""Whatever happens in whatever order, the books are those of an accountant.

Crooked books are found out by stories that go where each may be crooked: chance took thousands of steps.

`FUZZ_STEPS` says how many steps are taken; some hundred otherwise.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from sqlalchemy.exc import DBAPIError

from bot.errors import StudiiBotError
from tests.services.credits.accountant import ASSUMED
from tests.services.credits.bank import MEMBERS, Bank
from tests.services.credits.books import Books
from tests.services.credits.moderated_books import ModeratedBooks
from tests.services.credits.moderated_stories import MODERATED_STORIES
from tests.services.credits.overruns import Overruns
from tests.services.credits.stories import STORIES
from tests.support.database import database, sqlite_in_one_thread

Story = Callable[[Any], None]
ALL_STORIES: dict[Story, tuple[type[Bank], ...]] = {**STORIES, **MODERATED_STORIES}
STEPS = int(os.environ.get("FUZZ_STEPS", "100"))
FUZZING = STEPS > 1000
WRONG = (AssertionError, StudiiBotError, DBAPIError, pytest.fail.Exception)


@pytest.fixture(scope="module")
def books() -> Generator[str]:
    """The address of a database with all tables."""
    with tempfile.TemporaryDirectory() as folder:
        yield asyncio.run(database(Path(folder)))


@pytest.fixture(autouse=True)
def _in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_in_one_thread(monkeypatch)


def tell(
    books: str,
    bank_type: type[Bank],
    story: Story,
    game: type[Books] = ModeratedBooks,
) -> BaseException | None:
    """Play a story with books of that type. Returns what was found out."""
    with asyncio.Runner() as runner:
        bank = bank_type(books)
        runner.run(bank.open())
        machine: Any = type("Played", (game,), {"bank": bank, "runner": runner, "steps": 0})
        kept: Books = machine()
        try:
            story(kept)
            kept.teardown()
        except WRONG as error:
            return error
        finally:
            runner.run(bank.close())
    return None


def play(
    books: str,
    bank_type: type[Bank],
    examples: int,
    *,
    chance: bool = False,
    game: type[Books] = ModeratedBooks,
) -> tuple[int, BaseException | None]:
    """Steps that were taken with books of that type, and what was found out; `chance`: others each time."""
    found: BaseException | None = None
    with asyncio.Runner() as runner:
        bank = bank_type(books)
        runner.run(bank.open())
        machine = type("Played", (game,), {"bank": bank, "runner": runner, "steps": 0})
        case: Any = machine.TestCase
        case.settings = settings(
            max_examples=examples,
            stateful_step_count=40,
            derandomize=not chance,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            report_multiple_bugs=False,
        )
        try:
            case("runTest").runTest()
        except WRONG as error:
            found = error
        finally:
            runner.run(bank.close())
    return machine.steps, found


@pytest.mark.promise
@pytest.mark.parametrize("game", [ModeratedBooks, Overruns], ids=lambda game: game.__name__)
def test_the_ledger_is_an_accountants_whatever_happens(books: str, game: type[Books]) -> None:
    """`Overruns`: Studii charges up to ten times what was reserved, and no budget is exceeded by more than
    docs/credits.md says."""
    steps, began = 0, time.monotonic()
    while steps < STEPS:
        more, wrong = play(books, Bank, min(200, 1 + (STEPS - steps) // 30), chance=FUZZING, game=game)
        steps += more
        if FUZZING or wrong:
            say(f"{steps:,} steps in {time.monotonic() - began:,.0f} s")
        if wrong is not None:
            raise wrong
    say(f"{steps:,} steps, and every sum was right after each.{game.words()}")


@pytest.mark.promise
@pytest.mark.parametrize("story", ALL_STORIES, ids=lambda story: story.__name__)
def test_honest_books_are_right_in_every_story(books: str, story: Story) -> None:
    assert tell(books, Bank, story) is None


@pytest.mark.promise
@pytest.mark.parametrize(
    ("story", "crook"),
    [(story, crook) for story, crooks in ALL_STORIES.items() for crook in crooks],
    ids=lambda one: one.__name__,
)
def test_crooked_books_are_found_out(books: str, story: Story, crook: type[Bank]) -> None:
    assert tell(books, crook, story) is not None, "nobody noticed"


@pytest.mark.promise
def test_a_budget_can_be_exceeded_by_nearly_as_much_as_docs_say(books: str) -> None:
    """So the bound says something: one video at ten times its assumed cost, on a budget for one."""

    def story(played: Overruns) -> None:
        played.open(41, dict.fromkeys(ASSUMED, 10))
        played.accept_several(MEMBERS[0], "video standard", 6)
        played.send_one(0)
        played.answer_one(0)
        assert played.paper.left(played.bank.now) == 41 - 400
        assert played.allowed == 400 - 40
        played.accept_several(MEMBERS[0], "image high", 6)

    assert tell(books, Bank, story, Overruns) is None


def test_every_crook_has_a_story() -> None:
    assert {crook for crooks in ALL_STORIES.values() for crook in crooks} == set(Bank.__subclasses__())


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - shown by `make fuzz`
