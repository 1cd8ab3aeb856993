"""How long jobs took is kept, the newest of it."""

from datetime import UTC, datetime

from bot.jobs import lanes as lane_rows
from bot.jobs.lanes import MAX_KEPT_SAMPLES, Sample
from bot.storage import Storage

NOW = datetime(2026, 3, 4, tzinfo=UTC)


async def test_what_was_observed_is_kept_by_tool_and_kind_oldest_first(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(lane_rows.learn_durations, [Sample("studio", "image", 10.0, 12.5, NOW)])
        await transaction.run(lane_rows.learn_durations, [Sample("studio", "video", 80.0, 90.0, NOW)])
        await transaction.run(lane_rows.learn_durations, [Sample("studio", "image", 0.0, 3.0, NOW)])
    async with storage.read() as transaction:
        assert await transaction.run(lane_rows.durations) == {
            ("studio", "image"): [(10.0, 12.5), (0.0, 3.0)],
            ("studio", "video"): [(80.0, 90.0)],
        }


async def test_only_the_newest_are_kept_of_each(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(lane_rows.learn_durations, [Sample("studio", "video", 1.0, 2.0, NOW)])
        for n in range(MAX_KEPT_SAMPLES + 7):
            await transaction.run(
                lane_rows.learn_durations, [Sample("studio", "image", float(n), n + 1.0, NOW)]
            )
    async with storage.read() as transaction:
        kept = await transaction.run(lane_rows.durations)
    assert kept["studio", "image"] == [(float(n), n + 1.0) for n in range(7, MAX_KEPT_SAMPLES + 7)]
    assert len(kept["studio", "video"]) == 1
