"""Of jobs whose price is not known one is sent first; the lane never stands still for that."""

from dataclasses import replace
from random import Random

import pytest

from bot.engine.lane import Lane, Rest, Send, Step, Waiting
from tests.engine.lane.lanes import lane_of, running, sync, take, waiting


def priced(name: str, price: str | None = "video", user: int = 1, since: float = 0.0) -> Waiting:
    return replace(waiting(name, user, since), price=price)


def answered(lane: Lane, name: str, now: float, *, taken: bool = True) -> None:
    lane.end(name, now, sent=True)
    lane.put(running(name, now) if taken else None, name, now)


def test_one_job_asks_for_a_price_and_those_of_other_prices_go_on() -> None:
    lane = lane_of()
    sync(
        lane,
        [priced("a0"), priced("a1", since=1), priced("b0", "image", 2, 2), priced("c0", None, 3)],
        [],
        0.0,
    )
    assert {take(lane).job_id for _ in range(3)} == {"a0", "b0", "c0"}
    assert lane.decide(0.0) == Rest()
    assert [lane.place(name)[1] for name in ("a0", "a1", "b0", "c0")] == [False, True, False, False]
    answered(lane, "a0", 0.3)
    assert take(lane, 0.3).job_id == "a1"


# Long: a world of one lane that is played to its end.
@pytest.mark.parametrize("seed", range(20))
def test_no_price_is_asked_for_twice_at_once_and_every_job_has_its_turn(seed: int) -> None:
    luck, lane, now = Random(seed), lane_of(300), 0.0
    left = {
        f"j{n}": replace(
            priced(f"j{n}", luck.choice(["a", "b", None]), luck.randrange(3), n),
            step=luck.choice([Step.SUBMIT, Step.UPLOAD]),
        )
        for n in range(30)
    }
    prices = {name: one.price for name, one in left.items()}
    sync(lane, left.values(), [], now)
    known: set[str | None] = {None}
    flying: dict[str, Step] = {}
    for _ in range(2000):
        if not left:
            break
        decision = lane.decide(now)
        if isinstance(decision, Send):
            lane.begin(decision, now)
            flying[decision.job_id] = decision.step
            asked = [prices[name] for name in flying if name in left and prices[name] not in known]
            assert len(asked) == len(set(asked))
            continue
        assert decision.until is None or decision.until > now
        now = decision.until if decision.until is not None and not flying else now + 0.1
        for name in luck.sample(sorted(flying), min(len(flying), 2)):
            step = flying.pop(name)
            lane.end(name, now, sent=True)
            if step is Step.UPLOAD:
                left[name] = replace(left[name], step=Step.SUBMIT, begun=True)
                lane.put(
                    replace(left[name], price=None if prices[name] in known else prices[name]), name, now
                )
            elif step is Step.POLL:
                lane.put(None, name, now)
            elif luck.random() < 0.3:
                left[name] = replace(left[name], begun=False, not_before=now + luck.random())
                lane.put(
                    replace(left[name], price=None if prices[name] in known else prices[name]), name, now
                )
            else:
                del left[name]
                known.add(prices[name])
                lane.put(running(name, now), name, now)
    assert left == {}
