"""How ends of a set's jobs are distributed over messages."""

from pathlib import Path

from bot.engine.messages import first_message
from bot.features.posting import PostingRules
from bot.jobs.results import Part
from bot.media.spool import OutputFile
from tests.support.jobs import a_job

KIB = 1024


def messages(count: int, size: int, room: int, *, splits: bool = False, before: bool = True) -> list[int]:
    photo = OutputFile(Path("b"), "image", "image/png", 9) if before else None
    output = OutputFile(Path("a"), "image", "image/png", size, photo)
    left = [Part(a_job(), number, output) for number in range(count)]
    found: list[int] = []
    while left:
        some = first_message(left, room, PostingRules(splits=splits))
        left = left[len(some) :]
        found.append(len(some))
    return found


def test_a_message_takes_ten_files_and_as_many_bytes_as_the_server_allows() -> None:
    assert messages(10, 1, 9_000 * KIB) == [5, 5]
    assert messages(6, 1, 9_000 * KIB) == [3, 3]
    assert messages(7, 1, 9_000 * KIB, splits=True) == [2, 2, 3]
    assert messages(10, 1, 9_000 * KIB, before=False) == [10]
    assert messages(4, 5_000 * KIB, 9_000 * KIB) == [1, 1, 1, 1]
    assert messages(2, 30_000 * KIB, 9_000 * KIB) == [1, 1]
