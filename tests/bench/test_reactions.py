"""The measurement of reactions and mentions that are none of ours would see what they cost."""

from pathlib import Path

import pytest

from bench.machine.reactions import stars_and_mentions, unrelated


@pytest.mark.promise
async def test_unrelated_reactions_cost_no_request_and_no_query_and_one_that_counts_is_counted(
    tmp_path: Path,
) -> None:
    cost = await unrelated(tmp_path, 200)
    assert (cost.number, cost.requests, cost.queries) == (200, 0, 0)


@pytest.mark.promise
async def test_stars_and_mentions_that_are_nobodys_business_cost_no_request_and_no_query(
    tmp_path: Path,
) -> None:
    cost = await stars_and_mentions(tmp_path, 200)
    assert (cost.number, cost.requests, cost.queries) == (200, 0, 0)
