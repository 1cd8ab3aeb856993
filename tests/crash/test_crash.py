"""Killed at any moment: a sample of what `make crash` tries at every point."""

import random

import pytest

from bot.jobs.models import JobState
from sandbox.studii.jobs import Output
from tests.crash.plan import (
    DEFERRED,
    Trial,
    all_points,
    killed_before_a_late_answer,
    killed_under_trouble,
    killed_while_answering_late,
)
from tests.crash.sets import NOTING, SetTrial, set_trials
from tests.crash.stars import StarTrial, star_deaths
from tests.crash.trial import (
    DISCORD_TROUBLES,
    PRIVATE_TROUBLES,
    TROUBLES,
    Verdict,
    attempt,
    deaths_at,
    deaths_of,
    ensure_known,
)
from tests.crash.world import NOT_WHOLE, Zygote, worlds

POINTS = 4
SEED = 6
AMBIGUOUS = next(one for one in TROUBLES if one.name == "taken, then the connection is lost")


@pytest.mark.promise
async def test_a_job_survives_kill_9_wherever_it_is(process: Zygote, subtests: pytest.Subtests) -> None:
    async with worlds() as own:
        quiet = await attempt(own, process, threads=True)
        assert (quiet.state, quiet.complaints) == (JobState.SUCCEEDED, [])
        deaths = deaths_of(quiet.points)
        assert len(deaths) > 200  # found by running, and a life has hundreds
        for death in random.Random(SEED).sample(deaths, POINTS):
            with subtests.test(death.point, nth=death.nth):
                assert (await attempt(own, process, [death], threads=True)).complaints == []


@pytest.mark.promise
async def test_what_was_posted_is_found_again_when_discord_has_forgotten_the_nonce(
    process: Zygote, quiet: Verdict
) -> None:
    async with worlds() as own:
        death = deaths_at(quiet.points, "outbox._note")[0]
        verdict = await attempt(own, process, [death], later=900)
        assert verdict.died == 1
        assert (verdict.state, verdict.complaints) == (JobState.SUCCEEDED, [])


@pytest.mark.promise
async def test_what_was_posted_is_not_posted_again_where_only_the_nonce_tells(
    process: Zygote, quiet: Verdict
) -> None:
    async with worlds() as own:
        death = deaths_at(quiet.points, "outbox._note")[0]
        verdict = await attempt(own, process, [death], blind=True)
        assert verdict.died == 1
        assert (verdict.state, verdict.complaints) == (JobState.SUCCEEDED, [])


async def test_a_result_that_is_not_what_studii_made_byte_for_byte_is_complained_of(
    process: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def half(*_: object) -> Output:
        return Output(b"half of it", "image/png")

    async with worlds() as own:
        monkeypatch.setattr(own.studii, "output_of", half)
        assert (await attempt(own, process)).complaints == [NOT_WHOLE]


@pytest.mark.promise
async def test_trouble_on_the_way_to_studii_costs_nothing_twice(
    process: Zygote, subtests: pytest.Subtests
) -> None:
    async with worlds() as own:
        for trouble in random.Random(SEED).sample(TROUBLES, 2):
            with subtests.test(trouble.name, endpoint=trouble.endpoint):
                assert (await attempt(own, process, trouble=trouble)).complaints == []


@pytest.mark.promise
async def test_a_job_of_which_nobody_knows_is_said_to_be_unknown_and_not_sent_again(process: Zygote) -> None:
    async with worlds() as own:
        verdict = await attempt(own, process, trouble=AMBIGUOUS)
        assert (verdict.state, verdict.complaints) == (JobState.UNKNOWN, [])


@pytest.mark.promise
async def test_a_set_that_the_bot_dies_of_is_posted_once_and_whole(
    process: Zygote, subtests: pytest.Subtests
) -> None:
    async with worlds() as own:
        quiet = SetTrial(waits=True)
        calm = await quiet.make(own, process)
        assert (calm.state, calm.complaints) == (JobState.SUCCEEDED, [])
        deaths = [trial.deaths[0] for trial in set_trials([(quiet, calm.points)], waits=True)]
        assert len(deaths) > 30
        noted = [one for one in deaths if NOTING in one.point]
        for death in random.Random(SEED).sample(deaths, 1) + random.Random(SEED).sample(noted, 1):
            with subtests.test(death.point, nth=death.nth):
                verdict = await SetTrial([death], waits=True).make(own, process)
                assert verdict.complaints == []
        with subtests.test("found again", point=noted[0].point):
            assert (await SetTrial(noted[:1], later=900, waits=True).make(own, process)).complaints == []


@pytest.mark.promise
async def test_a_starred_result_that_the_bot_dies_of_is_shown_once_and_taken_back(
    process: Zygote, subtests: pytest.Subtests
) -> None:
    async with worlds() as own:
        for back in (False, True):
            calm = await StarTrial(back=back).make(own, process)
            assert calm.complaints == []
            deaths = star_deaths(calm.points)
            for death in random.Random(SEED).sample(deaths, 1):
                with subtests.test(death.point, nth=death.nth, back=back):
                    assert (
                        await StarTrial([death], back=back, later=900).make(own, process)
                    ).complaints == []


@pytest.mark.promise
async def test_a_cancel_that_the_bot_dies_of_is_done_or_not_and_never_half(process: Zygote) -> None:
    async with worlds() as own:
        cancelled = await attempt(own, process, cancelled=True)
        assert cancelled.complaints == []
        for death in random.Random(SEED).sample(deaths_at(cancelled.points, "buttons."), 1):
            assert (await attempt(own, process, [death], cancelled=True)).complaints == []


@pytest.mark.promise
async def test_trouble_on_the_way_to_discord_loses_no_result(
    process: Zygote, subtests: pytest.Subtests
) -> None:
    async with worlds() as own:
        for trouble in random.Random(SEED).sample(DISCORD_TROUBLES, 2):
            with subtests.test(trouble.name, endpoint=trouble.endpoint):
                verdict = await attempt(own, process, trouble=trouble)
                assert (verdict.state, verdict.complaints) == (JobState.SUCCEEDED, [])


def test_under_trouble_every_point_is_tried_that_no_quiet_life_has() -> None:
    quiet = all_points([{"a": 1}, {"a": 2, "b": 1}])
    first, second = TROUBLES[:2]
    under = killed_under_trouble(quiet, [(first, {"a": 2, "c": 1}), (second, {"c": 1, "d": 1})])
    tried = [(trial.trouble, trial.deaths[0].point) for trial in under.trials]
    assert (first, "c") in tried
    assert (second, "d") in tried
    assert (under.possible, under.unheard) == (4, 2)


def test_where_to_die_is_never_a_place_that_no_life_passes() -> None:
    points = {"waits in outbox._note:7": 2, "goes on in submit.upload:9": 1}
    assert [death.point for death in deaths_at(points, "outbox.", "submit.")] == sorted(points)
    with pytest.raises(LookupError, match=r"with 'proclaim\._note', 'removals\.'\. Has that code"):
        ensure_known(points, "outbox.", "proclaim._note", "removals.")


@pytest.mark.promise
async def test_a_private_job_survives_kill_9_and_only_its_person_sees_it(
    process: Zygote, subtests: pytest.Subtests
) -> None:
    async with worlds() as own:
        quiet = await attempt(own, process, private=True)
        assert (quiet.state, quiet.complaints) == (JobState.SUCCEEDED, [])
        deaths = deaths_of(quiet.points)
        posting = deaths_at(quiet.points, "outbox._note")
        for death in random.Random(SEED).sample(deaths, 1) + posting[:1]:
            with subtests.test(death.point, nth=death.nth):
                assert (await attempt(own, process, [death], private=True)).complaints == []
        early = deaths_at(quiet.points, "requests.submit")[0]
        assert (await attempt(own, process, [early], private=True, closed_dms=True)).complaints == []


@pytest.mark.promise
async def test_trouble_on_the_way_to_discord_loses_no_private_result(
    process: Zygote, subtests: pytest.Subtests
) -> None:
    async with worlds() as own:
        for trouble in random.Random(SEED).sample(PRIVATE_TROUBLES, 2):
            with subtests.test(trouble.name, endpoint=trouble.endpoint):
                verdict = await attempt(own, process, trouble=trouble, private=True)
                assert (verdict.state, verdict.complaints) == (JobState.SUCCEEDED, [])


@pytest.mark.promise
@pytest.mark.parametrize("kind", DEFERRED, ids=["public", "private"])
async def test_a_kill_between_a_deferral_and_its_answer_leaves_nobody_waiting(
    process: Zygote, subtests: pytest.Subtests, kind: Trial
) -> None:
    async with worlds() as own:
        quiet = await kind.make(own, process)
        assert (quiet.state, quiet.complaints) == (JobState.SUCCEEDED, [])
        late = killed_before_a_late_answer(quiet.points, kind)
        with subtests.test("accepted"):
            accepted = [trial for trial in late if "show_progress" in trial.deaths[0].point]
            assert (await random.Random(SEED).choice(accepted).make(own, process)).complaints == []
        announced = [trial for trial in late if "deferral.send" in trial.deaths[0].point]
        sent = announced[-1]
        left = await sent.make(own, process)
        assert (left.died, left.complaints) == (1, [])
        for trial in random.Random(SEED).sample(killed_while_answering_late([sent], [left.points]), 1):
            with subtests.test("killed again", point=trial.deaths[-1].point):
                assert (await trial.make(own, process)).complaints == []
