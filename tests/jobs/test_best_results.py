"""Starred results as rows: wanted, shown, taken back, and what consent does to them."""

from datetime import timedelta

from bot.jobs import best_results
from bot.jobs.best_results import UNANSWERED
from bot.servers import privacy
from bot.storage import Storage
from tests.support.clock import NOON

GUILD, MAYA = 1, 2


async def open_ones(storage: Storage) -> list[int]:
    async with storage.read() as transaction:
        return [one.message_id for one in await transaction.run(best_results.to_serve, 10)]


async def test_a_result_is_to_be_asked_about_then_shown_then_taken_back(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
    assert await open_ones(storage) == [7]  # its maker is to be asked
    async with storage.write() as transaction:
        await transaction.run(best_results.asked, MAYA, NOON)
    assert await open_ones(storage) == []
    async with storage.write() as transaction:
        await transaction.run(best_results.answer, MAYA, NOON, agreed=True)
    assert await open_ones(storage) == [7]
    async with storage.write() as transaction:
        await transaction.run(best_results.shown, 7, 4, 70)
    assert await open_ones(storage) == []
    async with storage.write() as transaction:
        await transaction.run(best_results.answer, MAYA, NOON, agreed=False)
    assert await open_ones(storage) == [7]
    async with storage.write() as transaction:
        await transaction.run(best_results.gone, 7)
        assert await transaction.run(best_results.get, 7) is None


async def test_one_that_is_starred_again_while_it_is_taken_back_is_shown_anew(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(best_results.answer, MAYA, NOON, agreed=True)
        await transaction.run(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
        await transaction.run(best_results.shown, 7, 4, 70)
        await transaction.run(best_results.unwant, GUILD, [7], NOON)
        await transaction.run(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
        await transaction.run(best_results.gone, 7)
        anew = await transaction.run(best_results.get, 7)
    assert anew is not None
    assert (anew.posted_message_id, anew.number) == (None, 1)


async def test_whoever_asks_to_be_forgotten_is_taken_back_and_keeps_a_refusal(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(best_results.answer, MAYA, NOON, agreed=True)
        await transaction.run(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
        await transaction.run(best_results.want, 8, GUILD, 3, "0" * 16, 5, NOON)
        await transaction.run(best_results.shown, 8, 4, 80)
        await transaction.run(privacy.forget_member, MAYA, NOON)
        await transaction.run(best_results.answer, 5, NOON, agreed=False)
        await transaction.run(privacy.forget_member, 5, NOON)
        assert await transaction.run(best_results.consent, MAYA) is None
        refusal = await transaction.run(best_results.consent, 5)
        assert refusal is not None
        assert refusal.agreed is False
    assert await open_ones(storage) == [7, 8]


async def test_what_nobody_answers_for_is_forgotten(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(best_results.want, 7, GUILD, 3, "0" * 16, MAYA, NOON)
        await transaction.run(best_results.asked, MAYA, NOON)
        await transaction.run(best_results.messages, 10, NOON + UNANSWERED + timedelta(days=1))
        assert await transaction.run(best_results.get, 7) is None
