"""Servers and their members take turns with a number of workers, whoever has how many jobs."""

from itertools import pairwise

from hypothesis import given, strategies as st

from bot.aio.worker import FairShare, Who

WORKERS = 8
CROWDS = st.lists(st.integers(0, 5), min_size=1, max_size=80)
Job = tuple[int, int, int]
"""A server, a member and a number."""


def begin_all(turns: FairShare, jobs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The jobs that a round begins, in order; each is another member's."""
    return [
        (server, number) for server, _, number in begin(turns, [(one[0], one[1], one[1]) for one in jobs])
    ]


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


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80))
def test_with_one_worker_each_member_waits_for_one_photo_of_each_other(members: list[int]) -> None:
    turns = FairShare(1)
    open_jobs = [(1, member, number) for number, member in enumerate(members)]
    done: list[Job] = []
    while open_jobs:
        (job,) = begin(turns, open_jobs)
        turns.ended(who(job))
        open_jobs.remove(job)
        done.append(job)
    for member in set(members):
        places = [place for place, job in enumerate(done) if job[1] == member]
        assert all(b - a <= len(set(members)) for a, b in pairwise(places))
        assert places[0] < len(set(members))


def test_whose_photo_is_being_worked_on_has_had_its_turn() -> None:
    turns = FairShare(WORKERS)
    begin(turns, [(1, 7, 0)])
    assert begin(turns, []) == []
    assert begin(turns, [(1, 8, 0), (2, 7, 0)])[0] == (2, 7, 0)


def test_a_server_with_500_photos_leaves_workers_for_three_that_come_later() -> None:
    turns = FairShare(WORKERS)
    assert len(begin_all(turns, [(1, number) for number in range(500)])) == 4
    for late in (2, 3, 4):
        assert begin_all(turns, [*((1, number) for number in range(4, 500)), (late, 0)])[0] == (late, 0)


@given(CROWDS)
def test_the_bound_holds_and_workers_are_idle_only_if_each_server_has_as_many(servers: list[int]) -> None:
    turns = FairShare(WORKERS)
    jobs = [(server, number) for number, server in enumerate(servers)]
    begun = begin_all(turns, jobs)
    assert len(begun) <= WORKERS
    left = [job for job in jobs if job not in begun]
    free = WORKERS - len(begun)
    for server, _ in left:
        assert sum(one[0] == server for one in begun) >= max(1, free) or not free


@given(CROWDS)
def test_each_server_is_begun_before_any_has_a_second_turn_and_keeps_its_order(servers: list[int]) -> None:
    turns = FairShare(1)
    open_jobs = [(server, number) for number, server in enumerate(servers)]
    done: list[tuple[int, int]] = []
    while open_jobs:
        (job,) = begin_all(turns, open_jobs)
        turns.ended(job)
        open_jobs.remove(job)
        done.append(job)
    first = len(set(servers))
    assert {server for server, _ in done[:first]} == set(servers)
    for server in set(servers):
        assert (own := [number for one, number in done if one == server]) == sorted(own)
    # With one worker nobody waits longer than one turn of each of the others.
    for server in set(servers):
        places = [place for place, job in enumerate(done) if job[0] == server]
        assert all(b - a <= len(set(servers)) for a, b in pairwise(places))
