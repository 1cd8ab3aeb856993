"""The lane in simulated time: never a 429, however the server counts, and no job is forgotten."""

import pytest

from bench.loads import ROUGH, Load
from bench.measure import Scale, measure
from sandbox.studii.ratelimit import Counting

SHORT = Scale(seeds=1, lasts=150.0, burst_jobs=1)


@pytest.mark.parametrize("counting", ["sliding", "fixed", "bucket"])
def test_the_lane_never_meets_a_429_and_forgets_no_job(counting: Counting) -> None:
    for load in (Load("mixed", 60, 5), Load("images", 60, 30, burst=True)):
        result = measure(load, "lane", SHORT, counting=counting, lasting=ROUGH)
        assert result.refused == 0
        assert result.done == 1.0


def test_an_idle_lane_sees_a_picture_within_a_second_or_so() -> None:
    result = measure(Load("images", 300, 1), "lane", Scale(seeds=1, lasts=600.0))
    assert result.mean <= 0.7
    assert result.p95 <= 1.3


def test_a_long_wait_is_told_within_30_percent_to_nine_of_ten() -> None:
    result = measure(Load("images", 60, 60, burst=True), "lane", SHORT)
    assert result.told_well is not None
    assert result.told_well >= 0.9
