"""In which messages the ends of a set's jobs are posted, and when."""

from datetime import timedelta

from bot.jobs.models import Job, JobState
from bot.jobs.sets import SetPart, arranged, next_number, post_at, unposted
from tests.support.jobs import NOW, a_job

PATIENCE = timedelta(minutes=2)


def one(state: JobState, **changes: object) -> Job:
    return a_job(set_id="a set", state=state, **changes)


def test_a_message_takes_ten_files_and_as_many_bytes_as_the_server_allows() -> None:
    def messages(count: int, files: int, size: int, room: int) -> list[int]:
        parts = [SetPart(a_job(), number, output=None) for number in range(count)]
        return [len(one) for one in arranged(parts, room, count=lambda _: files, size=lambda _: size)]

    assert messages(10, 2, 1, 100) == [5, 5]
    assert messages(6, 2, 1, 100) == [3, 3]
    assert messages(7, 3, 1, 100) == [2, 2, 3]
    assert messages(10, 1, 1, 100) == [10]
    assert messages(4, 1, 60, 100) == [1, 1, 1, 1]
    assert messages(2, 1, 600, 100) == [1, 1]
    assert messages(5, 1, 40, 100) == [1, 2, 2]


def test_what_has_ended_waits_for_the_others_from_the_end_of_the_first() -> None:
    first = one(JobState.SUCCEEDED)
    second = one(JobState.FAILED, changed_at=NOW + timedelta(minutes=1))
    assert post_at([first, second, one(JobState.RUNNING)], PATIENCE) == NOW + PATIENCE
    assert post_at([first, second], PATIENCE) is None


def test_an_end_is_said_once_and_in_the_next_of_the_sets_messages() -> None:
    said = one(JobState.SUCCEEDED, announced_at=NOW, set_message=0)
    ended, runs = one(JobState.FAILED), one(JobState.RUNNING)
    assert unposted([said, ended, runs]) == [ended]
    assert next_number([ended, runs]) == 0
    assert next_number([said, ended, runs]) == 1


def test_a_withheld_result_is_said_alone_as_a_moderator_may_release_it() -> None:
    assert unposted([one(JobState.WITHHELD)]) == []
