"""Requests of other processes with the same key count beside a process's own."""

from bot.engine.scheduler.rate_limit import EarlierRequest, RateWindow
from bot.engine.tuning import Tuning

TUNING = Tuning()


def test_what_others_sent_leaves_less_room_until_a_period_after_the_latest_answer() -> None:
    window = RateWindow(12, TUNING)
    others = [
        EarlierRequest(30.0, settled=None),
        EarlierRequest(20.0, settled=25.0),
        EarlierRequest(10.0, settled=15.0),
    ]
    window.set_others([others], 100.0)
    # The first was answered when the second was sent, the second when the third was.
    assert window.used(100.0) == 3
    assert window.requests_left(100.0) == 7
    assert window.used(80.0 + 60.3) == 2
    assert window.used(90.0 + 60.3) == 1  # nobody says when the last one was answered
    assert window.used(90.0 + 70.0 + 60.3) == 0


def test_a_new_count_takes_the_place_of_the_one_before() -> None:
    window = RateWindow(4, TUNING)
    window.set_others([[EarlierRequest(0.0, settled=None)], [EarlierRequest(0.0, settled=None)]], 0.0)
    assert window.requests_left(0.0) == 0
    window.set_others([[EarlierRequest(0.0, settled=None)]], 0.0)
    assert window.requests_left(0.0) == 1


def test_there_is_room_again_when_enough_of_both_have_left() -> None:
    window = RateWindow(4, TUNING)
    window.begin(0.0)
    window.end(0.0, 1.0)
    window.set_others([[EarlierRequest(50.0, None), EarlierRequest(0.0, settled=10.0)]], 10.0)
    assert window.requests_left(10.0) == 0
    assert window.next_request_at(10.0) == 10.0 + 60.3
