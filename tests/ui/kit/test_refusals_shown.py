"""What is refused for credits, limits and rules says which it was, and what else may be done."""

from typing import Any

import pytest

from bot.credits.limits import AllowanceScope, StartRate
from bot.domain.guilds import Period
from bot.jobs.models import JobState
from bot.servers.access import Permit
from tests.support import spending
from tests.support.desk import Desk, texts
from tests.support.settings import restrict
from tests.ui.jobs.sets.test_sets import PHOTOS, opened

PRIVATE = {"private": True}
CHANGE_ACCESS = "Try again without it. An admin can change this with `/studii moderation`."
CHANGE_LIMIT = "An admin can change this with `/studii credits`."


async def refused(desk: Desk, **options: Any) -> str:
    """What Maya reads who asks for a picture, which costs about 8 credits."""
    answer = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", **options)
    assert answer.ephemeral
    return texts(answer)


@pytest.mark.parametrize(
    ("period", "kind"), [(Period.WEEK, "weekly"), (Period.MONTH, "monthly"), (Period.TOTAL, "one-off")]
)
async def test_a_budget_or_allowance_below_the_price_is_named_as_such(
    desk: Desk, period: Period, kind: str
) -> None:
    await spending.set_budget(desk.services, desk.guild.id, 5, period)
    assert f"The {kind} budget of 5 credits is below the price." in await refused(desk)
    await spending.set_budget(desk.services, desk.guild.id, 100, None)
    await spending.set_limits(desk.services, desk.guild.id, allowance=(AllowanceScope.MEMBERS, 0, 5))
    assert f"The {kind} allowance of 5 credits is below the price." in await refused(desk)


async def test_a_one_off_total_that_is_used_up_does_not_renew_but_running_jobs_may_free_some(
    desk: Desk,
) -> None:
    await spending.set_budget(desk.services, desk.guild.id, 10, Period.TOTAL)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert "Credits may free up when running jobs finish." in await refused(desk)
    job = await desk.move(await desk.job(), JobState.FAILED)
    await desk.settle(job, 8)
    assert "It's a one-off total and doesn't renew." in await refused(desk)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (StartRate(1, 86_400), "1 job in 1 day"),
        (StartRate(1, 2 * 3600), "1 job in 2 hours"),
        (StartRate(1, 45), "1 job in 45 seconds"),
    ],
)
async def test_how_often_one_may_start_is_said_in_the_largest_unit(
    desk: Desk, rate: StartRate, said: str
) -> None:
    await spending.set_limits(desk.services, desk.guild.id, rate=rate)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert f"You've reached the limit of {said} here." in await refused(desk)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("permit", "with_role", "who"),
    [
        (Permit.MANAGERS, True, "is only for members with Manage Server or the role <@&{role}>."),
        (Permit.NOBODY, True, "is only for <@&{role}>."),
        (Permit.NOBODY, False, "is turned off in this server."),
    ],
)
async def test_who_may_not_have_something_private_reads_who_may(
    desk: Desk, permit: Permit, with_role: bool, who: str
) -> None:
    role = desk.guild.create_role("Designers")
    await desk.services.db.write(restrict, desk.guild.id, "private", permit, [role.id] if with_role else [])
    assert f"`private` {who.format(role=role.id)} {CHANGE_ACCESS}" in await refused(desk, **PRIVATE)


async def test_of_a_set_that_is_too_much_the_limit_is_told_with_what_is_running(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    for limit, said in (
        ({"at_once": 2}, "You can run 2 jobs at the same time here, and have 1 running already."),
        ({"at_once": None, "rate": StartRate(2, 600)}, "The limit here is 2 jobs in 10 minutes."),
    ):
        await spending.set_limits(desk.services, desk.guild.id, **limit)  # pyright: ignore[reportArgumentType]
        uploads = await opened(desk, desk.maya, "photo-restore")
        told = texts(await desk.maya.submit_modal(uploads, {"image": PHOTOS}))
        assert f"so none was started. {said} {CHANGE_LIMIT}" in told
