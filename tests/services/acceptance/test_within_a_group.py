"""What requests that are accepted together share: a member's open questions, and an error in one of sets."""

from dataclasses import replace

import pytest

from bot.catalog import Tool
from bot.credits import ledger
from bot.credits.prices import Estimate
from bot.jobs import confirm
from bot.jobs.confirm import MAX_OPEN_QUESTIONS, TOO_MANY, ConfirmationNeeded
from bot.jobs.decide import CreditsShortForAll, Decisions
from bot.jobs.models import Job, JobRequest, MemberContext
from tests.services.acceptance.stories import together
from tests.services.world import MEMBER, OTHER_MEMBER, PICTURE, ServicesWorld
from tests.support import spending
from tests.support.jobs import PHOTO, ledger_lines
from tests.support.posts import open_posts


@pytest.mark.parametrize("open_before", [0, 4])
async def test_questions_of_the_same_group_count_among_those_that_a_member_can_leave_open(
    world: ServicesWorld, open_before: int
) -> None:
    await world.ready(daily=1000)
    await spending.set_budget(world.services, PICTURE.guild_id, None, None, confirm_above=1)
    service, several = world.services.acceptance, [[PICTURE]] * (MAX_OPEN_QUESTIONS + 3)
    before = await together(world.storage, service, several[:open_before])
    others = [[replace(PICTURE, user_id=OTHER_MEMBER)]]
    answers = before + await together(world.storage, service, [*several[open_before:], *others])
    asked, refused, other = answers[:MAX_OPEN_QUESTIONS], answers[MAX_OPEN_QUESTIONS:-1], answers[-1]
    assert {type(one) for one in (*asked, other)} == {ConfirmationNeeded}
    assert [str(one) for one in refused] == [str(TOO_MANY)] * 3
    async with world.storage.read() as transaction:
        stored = [one.request.user_id for one in await transaction.run(confirm.all_questions)]
        assert sorted(stored) == [MEMBER] * MAX_OPEN_QUESTIONS + [OTHER_MEMBER]
    assert await world.jobs() == []


async def test_a_question_that_is_answered_in_a_group_leaves_room_for_another(world: ServicesWorld) -> None:
    await world.ready(daily=1000)
    await spending.set_budget(world.services, PICTURE.guild_id, None, None, confirm_above=1)
    service = world.services.acceptance
    first, *_ = await together(world.storage, service, [[PICTURE]] * MAX_OPEN_QUESTIONS)
    assert isinstance(first, ConfirmationNeeded)
    assert first.question is not None
    answer = first.question.confirmed(MemberContext())
    refused, started, asked = await together(world.storage, service, [[PICTURE], answer, [PICTURE]])
    assert str(refused) == str(TOO_MANY)
    assert isinstance(started, list)
    assert isinstance(asked, ConfirmationNeeded)


async def test_an_unexpected_error_in_one_photo_of_a_set_refuses_the_set_alone(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready(daily=1000)
    new_job = Decisions._new_job  # pyright: ignore[reportPrivateUsage]

    def unforeseen(decisions: Decisions, request: JobRequest, tool: Tool, price: Estimate) -> Job:
        if request.inputs["prompt"] == "what nobody foresaw":
            raise KeyError(request.inputs["prompt"])
        return new_job(decisions, request, tool, price)

    monkeypatch.setattr(Decisions, "_new_job", unforeseen)
    photo = replace(PICTURE, source=PHOTO)
    bad = replace(photo, inputs={**PICTURE.inputs, "prompt": "what nobody foresaw"})
    one, broken, whole = await together(
        world.storage, world.services.acceptance, [[PICTURE], [photo, bad, photo], [photo, photo]]
    )
    assert isinstance(broken, KeyError)
    assert isinstance(one, list)
    assert isinstance(whole, list)
    assert {job.id for job in await world.jobs()} == {job.id for job in (*one, *whole)}
    async with world.storage.read() as transaction:
        lines = await ledger_lines(transaction)
        assert {line.job_id for line in lines} == {job.id for job in (*one, *whole)}
        assert await transaction.run(ledger.differing) == []


async def test_a_set_that_is_refused_warns_nobody_of_what_it_would_have_used(world: ServicesWorld) -> None:
    await world.ready(daily=40)
    photo = replace(PICTURE, source=PHOTO)
    refused, last = await together(world.storage, world.services.acceptance, [[photo] * 6, [photo]])
    assert isinstance(refused, CreditsShortForAll)
    assert isinstance(last, list)
    async with world.storage.read() as transaction:
        assert await transaction.run(open_posts, PICTURE.guild_id) == []
