"""A start with much to do: unfinished jobs by the thousand, on hundreds of keys."""

from pathlib import Path

from bench.machine.restart import restart
from bot.engine import Tuning


async def test_with_2_000_jobs_on_100_keys_every_key_is_polled_and_none_in_a_burst(tmp_path: Path) -> None:
    run = await restart(tmp_path, 2_000, 100)
    assert (run.jobs, run.polling) == (2_000, 100)
    assert run.most_in_burst <= Tuning().requests_in_flight  # of twenty that are all due
