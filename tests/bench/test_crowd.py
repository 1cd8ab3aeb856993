"""What `python -m bench.crowd` counts, and what it takes for an answer."""

import pytest

from bench.crowd import process, scenes
from bench.crowd.__main__ import arguments
from bench.crowd.answers import Crowd, share_of
from bench.crowd.scenes import ask
from bench.crowd.waiting import until
from bench.crowd.worlds import Wanted, worlds
from sandbox.discord.emulator.interactions import COMMAND, Interaction
from sandbox.discord.emulator.places import Channel
from tests.support.patience import PATIENCE


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("--sizes 50 0", "--sizes"),
        ("--servers 0", "--servers"),
        ("--pipeline 0", "--pipeline"),
        ("--steady 0", "--steady"),
        ("--steady 3 --seconds 0", "--seconds"),
        ("--hogs -1", "--hogs"),
        ("--processes 0 --database postgresql", "--processes"),
        ("--processes 2", "only with --database postgresql"),
    ],
)
def test_what_can_not_be_measured_is_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], given: str, wrong: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        arguments(given.split())
    assert wrong in capsys.readouterr().err.splitlines()[-1]


def test_several_processes_share_a_postgresql() -> None:
    given = arguments(["--sizes", "1", "20", "--processes", "2", "--database", "postgresql"])
    assert (given.sizes, given.processes, given.database) == ([1, 20], 2, "postgresql")


def asked() -> Interaction:
    return Interaction(1, "token", Channel(2, 3), 4, told_at=10.0, kind=COMMAND)


async def test_a_crowd_before_the_least_bot_is_answered_and_what_it_took_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "SETTLED", 0.0)
    async with worlds(Wanted(floor=True)) as built:
        idle = built.bot.memory()
        started = asked_before = ask(built, 1)
        assert await until(lambda: all(one.over for one in asked_before), PATIENCE)
        act = await scenes.commands(built, 5, PATIENCE)
        answers = await act(PATIENCE)
        own, _ = built.bot.memory()
        crowd = Crowd(
            5, answers, built.bot.processor(), built.bot.counts(), 0.0, built.bot.ready, idle, (own, 0)
        )
    assert started[0].said_at is not None
    assert (crowd.answered, crowd.accepted, crowd.deferred, crowd.refusals.total()) == (5, 5, 0, 0)
    assert crowd.processor > 0
    assert own > 10 * 1024 * 1024
    assert crowd.share(0.5) == share_of([one.after or 0.0 for one in answers], 0.5)
