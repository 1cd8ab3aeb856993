"""Servers and their members take turns with a number of workers, whoever has how many jobs."""

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given, strategies as st

from bot.engine.workers.due import FairShare, Who

WORKERS = 8
CROWDS = st.lists(st.integers(0, 5), min_size=1, max_size=80)
Job = tuple[int, int, int]
"""A server, a member and a number."""


def begin(turns: FairShare, jobs: list[Job]) -> list[Job]:
    """The jobs that a round begins, in order."""
    begun: list[Job] = []
    for job in turns.in_turn(jobs, who):
        if turns.may_begin(who(job)):
            turns.began(who(job))
            begun.append(job)
    return begun


def who(job: Job) -> Who:
    return job[:2]


def test_a_member_with_500_photos_leaves_workers_for_others_of_the_same_server() -> None:
    turns = FairShare(WORKERS)
    many = [(1, 7, number) for number in range(500)]
    assert len(begin(turns, many)) == 2
    assert begin(turns, [*many[2:], (1, 8, 0), (1, 8, 1)]) == [(1, 8, 0)]
    assert begin(turns, [*many[2:], (1, 8, 1), (1, 9, 0)]) == [(1, 9, 0)]
    # Whoever comes then waits for one of them, and not for the 500.
    turns.ended((1, 7))
    assert begin(turns, [*many[2:], (1, 10, 0)]) == [(1, 10, 0)]


def one_by_one(jobs: list[Job]) -> list[Job]:
    """The jobs in the order in which one worker does them."""
    turns, done = FairShare(1), list[Job]()
    while jobs:
        (job,) = begin(turns, jobs)
        turns.ended(who(job))
        jobs.remove(job)
        done.append(job)
    return done


def assert_in_turn(whose: list[int]) -> None:
    """Nobody waits longer than one turn of each of the others."""
    for one in set(whose):
        places = [place for place, other in enumerate(whose) if other == one]
        assert all(b - a <= len(set(whose)) for a, b in pairwise(places))
        assert places[0] < len(set(whose))


@given(CROWDS)
def test_with_one_worker_each_member_waits_for_one_photo_of_each_other(members: list[int]) -> None:
    jobs = [(1, member, number) for number, member in enumerate(members)]
    assert_in_turn([job[1] for job in one_by_one(jobs)])


def of_servers(servers: Iterable[int]) -> list[Job]:
    """A job of each of these servers, each another member's."""
    return [(server, number, number) for number, server in enumerate(servers)]


def test_a_server_with_500_photos_leaves_workers_for_three_that_come_later() -> None:
    turns, many = FairShare(WORKERS), of_servers([1] * 500)
    assert len(begin(turns, many)) == 4
    for late in (2, 3, 4):
        assert begin(turns, [*many[4:], (late, 0, 0)])[0] == (late, 0, 0)


@given(CROWDS)
def test_the_bound_holds_and_workers_are_idle_only_if_each_server_has_as_many(servers: list[int]) -> None:
    jobs = of_servers(servers)
    begun = begin(FairShare(WORKERS), jobs)
    free = WORKERS - len(begun)
    assert free >= 0
    for server, _, _ in set(jobs) - set(begun):
        assert sum(one[0] == server for one in begun) >= max(1, free) or not free


@given(CROWDS)
def test_each_server_is_begun_before_any_has_a_second_turn_and_keeps_its_order(servers: list[int]) -> None:
    done = one_by_one(of_servers(servers))
    assert_in_turn([job[0] for job in done])
    for server in set(servers):
        assert (own := [number for one, _, number in done if one == server]) == sorted(own)
