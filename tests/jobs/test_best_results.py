"""Starred results as rows: wanted, shown, taken back, and what consent does to them."""

from datetime import timedelta

from bot.db import Database
from bot.jobs import best_results
from bot.jobs.best_results import UNANSWERED
from bot.servers import privacy
from tests.support.clock import NOON

GUILD, MAYA = 1, 2


async def open_ones(db: Database) -> list[int]:
    return [one.message_id for one in await db.read(best_results.to_serve, 10)]


async def test_a_result_is_to_be_asked_about_then_shown_then_taken_back(db: Database) -> None:
    await db.write(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
    assert await open_ones(db) == [7]  # its maker is to be asked
    await db.write(best_results.asked, MAYA, NOON)
    assert await open_ones(db) == []
    await db.write(best_results.answer, MAYA, NOON, agreed=True)
    assert await open_ones(db) == [7]
    await db.write(best_results.shown, 7, 4, 70)
    assert await open_ones(db) == []
    await db.write(best_results.answer, MAYA, NOON, agreed=False)
    assert await open_ones(db) == [7]
    await db.write(best_results.gone, 7)
    assert await db.write(best_results.get, 7) is None


async def test_one_that_is_starred_again_while_it_is_taken_back_is_shown_anew(db: Database) -> None:
    await db.write(best_results.answer, MAYA, NOON, agreed=True)
    await db.write(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
    await db.write(best_results.shown, 7, 4, 70)
    await db.write(best_results.unwant, GUILD, [7], NOON)
    await db.write(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
    await db.write(best_results.gone, 7)
    anew = await db.write(best_results.get, 7)
    assert anew is not None
    assert (anew.posted_message_id, anew.number) == (None, 1)


async def test_whoever_asks_to_be_forgotten_is_taken_back_and_keeps_a_refusal(db: Database) -> None:
    await db.write(best_results.answer, MAYA, NOON, agreed=True)
    await db.write(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
    await db.write(best_results.want, 8, GUILD, 3, "0" * 16, 5, NOON)
    await db.write(best_results.shown, 8, 4, 80)
    await db.write(privacy.forget_member, MAYA, NOON)
    await db.write(best_results.answer, 5, NOON, agreed=False)
    await db.write(privacy.forget_member, 5, NOON)
    assert await db.write(best_results.consent, MAYA) is None
    refusal = await db.write(best_results.consent, 5)
    assert refusal is not None
    assert refusal.agreed is False
    assert await open_ones(db) == [7, 8]


async def test_what_nobody_answers_for_is_forgotten(db: Database) -> None:
    await db.write(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
    await db.write(best_results.asked, MAYA, NOON)
    await db.write(best_results.messages, 10, NOON + UNANSWERED + timedelta(days=1))
    assert await db.write(best_results.get, 7) is None
