"""Killed at any moment: a sample of what `make crash` tries at every point."""

from collections.abc import Sequence

import pytest

from bot.jobs.models import JobState
from sandbox.studii import faults
from sandbox.studii.jobs import Output
from tests.crash.life import ENDED
from tests.crash.trial import ANSWERING, LATE, NONCES_FORGOTTEN, Trial, Verdict, deaths_at, sample
from tests.crash.world import KILLED, NOT_WHOLE, Zygote, worlds

NOTED = "posts._note"  # the result is in the channel, but not yet in the database


async def fates(trials: Sequence[Trial], process: Zygote, subtests: pytest.Subtests) -> list[Verdict]:
    """Return how these trials go, none of which breaks a promise."""
    verdicts: list[Verdict] = []
    async with worlds() as own:
        for trial in trials:
            with subtests.test(f"{trial}"):
                verdicts.append(await trial.make(own, process))
                assert verdicts[-1].complaints == []
    return verdicts


@pytest.mark.promise
@pytest.mark.parametrize(
    ("kind", "count"),
    [(Trial(threads=True), 4), (Trial(private=True), 2)],
    ids=["public", "private"],
)
async def test_a_job_survives_kill_9_wherever_it_is(
    process: Zygote, subtests: pytest.Subtests, kind: Trial, count: int
) -> None:
    """A private result is seen by its person alone."""
    (quiet,) = await fates([kind], process, subtests)
    assert quiet.state is JobState.SUCCEEDED
    trials = kind.killed(quiet.points)
    assert len(trials) > 200  # found by running, and a life has hundreds
    posting = kind.killed(quiet.points, NOTED)[:1]
    early = [
        Trial(one.deaths, private=True, closed_dms=True)
        for one in kind.killed(quiet.points, "requests.submit")
    ]
    await fates([*sample(trials, count), *posting, *early[: kind.private]], process, subtests)


@pytest.mark.promise
@pytest.mark.parametrize(
    "kind", [Trial(later=NONCES_FORGOTTEN), Trial(blind=True)], ids=["by its mark", "by its nonce"]
)
async def test_what_was_posted_is_found_again_and_not_posted_twice(
    process: Zygote, quiet: Verdict, subtests: pytest.Subtests, kind: Trial
) -> None:
    """Discord has forgotten the nonce, or the bot may not look for what it posted."""
    (verdict,) = await fates(kind.killed(quiet.points, NOTED)[:1], process, subtests)
    assert (verdict.state, verdict.died) == (JobState.SUCCEEDED, 1)


@pytest.mark.promise
async def test_a_job_that_was_being_sent_at_a_kill_is_unknown_and_not_sent_again(
    process: Zygote, quiet: Verdict, subtests: pytest.Subtests
) -> None:
    (verdict,) = await fates(Trial().killed(quiet.points, "client.create_job")[-1:], process, subtests)
    assert verdict.state is JobState.UNKNOWN


@pytest.mark.promise
async def test_a_cancel_that_the_bot_dies_of_is_done_or_not_and_never_half(
    process: Zygote, subtests: pytest.Subtests
) -> None:
    (cancelled,) = await fates([Trial(cancelled=True)], process, subtests)
    await fates(
        sample(Trial(cancelled=True).killed(cancelled.points, "progress.cancel"), 1), process, subtests
    )


@pytest.mark.promise
@pytest.mark.parametrize("private", [False, True])
async def test_a_kill_between_a_deferral_and_its_answer_leaves_nobody_waiting(
    process: Zygote, subtests: pytest.Subtests, *, private: bool
) -> None:
    kind = Trial(slow=True, private=private)
    (quiet,) = await fates([kind], process, subtests)
    assert quiet.state is JobState.SUCCEEDED
    late = kind.killed(quiet.points, *LATE)
    accepted = sample([one for one in late if "show_progress" in one.deaths[0].point], 1)
    announced = [one for one in late if "answers._defer" in one.deaths[0].point][-1]
    _, left = await fates([*accepted, announced], process, subtests)
    assert left.died == 1
    await fates(sample(announced.killed(left.points, ANSWERING), 1), process, subtests)


@pytest.mark.promise
async def test_nothing_is_asked_before_retry_after_has_passed_though_the_bot_was_killed(
    process: Zygote,
) -> None:
    async with worlds() as own:
        case = await own.case(text=True)
        own.studii.fail("status", faults.rate_limited(3))
        for asked in (case.interaction, None, None):
            life = own.life(case, dies_once="lane_limits", threads=True, interaction=asked)
            assert await process.live(life) == KILLED
        (limited,) = own.studii.requests.of(status=429)
        assert await process.live(own.life(case)) == ENDED
        after = [one for one in own.studii.requests if one.monotonic > limited.monotonic]
        assert after
        assert all(one.monotonic - limited.monotonic >= 3.0 for one in after if one.endpoint != "output")
        job = await own.job(case)
        assert job is not None
        assert job.state is JobState.SUCCEEDED


async def test_a_result_that_is_not_what_studii_made_byte_for_byte_is_complained_of(
    process: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def half(*_: object) -> Output:
        return Output(b"half of it", "image/png")

    async with worlds() as own:
        monkeypatch.setattr(own.studii, "output_of", half)
        assert (await Trial().make(own, process)).complaints == [NOT_WHOLE]


def test_where_to_die_is_never_a_place_that_no_life_passes() -> None:
    with pytest.raises(LookupError, match=r"with 'removals\.'\. Has that code"):
        deaths_at({"waits in posts._note:7": 2}, "posts.", "removals.")
