"""What a key sends next: members take turns, submissions go first, nobody is forgotten."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from bot.engine.lane import Lane, Rest, Running, Send, Step, Waiting
from tests.engine.lane.lanes import is_empty, lane_of, running, sync, take, waiting


def submit_all(lane: Lane, now: float = 0.0) -> list[str]:
    """The order in which everything that waits is submitted, each answered at once."""
    order: list[str] = []
    while isinstance(decision := lane.decide(now), Send) and decision.step is Step.SUBMIT:
        lane.begin(decision, now)
        lane.end(decision.job_id, now, sent=True)
        lane.put(None, decision.job_id, now)
        order.append(decision.job_id)
    return order


@pytest.mark.promise
def test_members_take_turns_whoever_asked_first_twenty_times() -> None:
    lane = lane_of()
    many = [waiting(f"ana{n:02}", user=1, since=n) for n in range(20)]
    sync(lane, [*many, waiting("ben", 2, 30), waiting("cleo0", 3, 31), waiting("cleo1", 3, 32)], [], 0.0)
    assert submit_all(lane)[:6] == ["ana00", "ben", "cleo0", "ana01", "cleo1", "ana02"]


def test_a_members_own_jobs_go_in_order() -> None:
    lane = lane_of()
    sync(lane, [waiting("late", since=9), waiting("early", since=1), waiting("middle", since=5)], [], 0.0)
    assert submit_all(lane) == ["early", "middle", "late"]


def test_a_place_in_line_is_what_then_happens() -> None:
    lane = lane_of()
    jobs = [waiting(f"{user}-{n}", user, n * 3 + user) for user in range(3) for n in range(user + 1)]
    sync(lane, jobs, [], 0.0)
    places = {job.id: lane.place(job.id)[0] for job in jobs}
    order = submit_all(lane)
    assert places == {job_id: place for place, job_id in enumerate(order, 1)}
    assert lane.place(order[0])[0] is None


def test_a_job_has_one_request_at_a_time() -> None:
    lane = lane_of()
    sync(lane, [waiting("only")], [], 0.0)
    take(lane)
    assert lane.decide(0.0) == Rest()
    sync(lane, [waiting("only")], [], 1.0)
    assert lane.decide(1.0) == Rest()


def test_a_job_is_left_alone_until_its_time() -> None:
    lane = lane_of()
    sync(lane, [replace(waiting("later"), not_before=7.0)], [], 0.0)
    assert lane.decide(0.0) == Rest(7.0)
    assert take(lane, 7.0) == Send("later", Step.SUBMIT)


def test_what_holds_one_holds_all_and_they_are_tried_one_by_one() -> None:
    lane = lane_of()
    held = replace(waiting("held"), not_before=60.0, held=True)
    sync(lane, [held, waiting("other", 2, 1.0)], [], 0.0)
    assert lane.decide(0.0) == Rest(60.0)
    take(lane, 60.0)
    assert lane.decide(60.0) == Rest()


def test_a_lane_knows_when_it_has_nothing_to_do() -> None:
    lane = lane_of()
    assert is_empty(lane)
    sync(lane, [waiting("a")], [], 0.0)
    take(lane)
    sync(lane, [], [], 0.0)
    assert not is_empty(lane)
    lane.end("a", 0.0, sent=True)
    lane.put(None, "a", 0.0)
    assert is_empty(lane)


@pytest.mark.promise
@settings(max_examples=40)
@given(
    limit=st.sampled_from((10, 60, 300)),
    members=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    photos=st.integers(0, 40),
    takes=st.floats(0.05, 2.0),
    lasts=st.floats(0.5, 40.0),
)
def test_everybody_is_served_and_no_job_is_looked_at_more_than_once_a_second(
    limit: int, members: list[int], photos: int, takes: float, lasts: float
) -> None:
    """A whole load in simulated time; each request takes as long, each job as well."""
    lane = lane_of(limit)
    jobs = {
        f"{n:02}": waiting(f"{n:02}", user, n, Step.UPLOAD if n < photos else Step.SUBMIT)
        for n, user in enumerate(members)
    }
    sync(lane, jobs.values(), [], 0.0)
    now, done_at, under_way = 0.0, dict[str, float](), dict[str, tuple[float, Send]]()
    looks: dict[str, list[float]] = {}
    sent: list[float] = []
    steps = Counter[Step]()
    while not is_empty(lane):
        assert now < 3600
        decision = lane.decide(now)
        if isinstance(decision, Send):
            assert decision.job_id not in under_way
            lane.begin(decision, now)
            under_way[decision.job_id] = (now + takes, decision)
            sent.append(now)
            steps[decision.step] += 1
            if decision.step is Step.POLL:
                looks.setdefault(decision.job_id, []).append(now)
            continue
        ends = [end for end, _ in under_way.values()]
        assert ends or decision.until is not None, "a lane with work must know what it waits for"
        assert decision.until is None or decision.until > now, "a lane that rests must not be asked at once"
        now = min(ends if decision.until is None else [*ends, decision.until])
        for job_id, (end, send) in list(under_way.items()):
            if end > now:
                continue
            del under_way[job_id]
            lane.end(job_id, now, sent=True)
            lane.put(_after(send, jobs[job_id], done_at, now, lasts), job_id, now)
    assert set(done_at) == set(jobs)
    assert steps[Step.SUBMIT] == len(jobs)
    assert all(b - a >= 1.0 - 1e-9 for times in looks.values() for a, b in pairwise(times))
    assert all(sum(at <= other < at + 60 for other in sent) <= limit for at in sent)


def _after(
    send: Send, job: Waiting, done_at: dict[str, float], now: float, lasts: float
) -> Waiting | Running | None:
    if send.step is Step.UPLOAD:
        return replace(job, step=Step.SUBMIT, begun=True)
    if send.step is Step.SUBMIT:
        done_at[job.id] = now + lasts
        return running(job.id, now)
    return None if now >= done_at[job.id] else running(job.id, now)
