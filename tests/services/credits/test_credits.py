"""What people are told about credits, and what admins set."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.credits import charges
from bot.credits.budgets import MAX_BUDGET
from bot.credits.ledger import Usage, Window
from bot.credits.prices import Estimate, ToolPrice, price_table, price_words
from bot.domain.guilds import Period
from bot.errors import CreditsShort, Refused
from bot.jobs import actions
from tests.services.world import GUILD, MEMBER, OTHER_GUILD, OTHER_MEMBER, PICTURE, ServicesWorld
from tests.support import spending


async def price_list(world: ServicesWorld) -> list[ToolPrice]:
    return (await world.services.db.read(price_table, GUILD)).all_listed(world.services.catalog)


async def test_until_an_admin_sets_a_budget_a_hundred_credits_a_day_hold(world: ServicesWorld) -> None:
    state = await spending.budget(world.services, GUILD)
    assert (state.left, state.usage, state.is_default) == (100, Usage(), True)
    assert state.limit_words == "100 credits a day"
    assert str(state.left_words) == "100 of 100 credits left today"


async def test_a_budget_that_was_set_is_not_the_default_even_if_it_is_the_same(world: ServicesWorld) -> None:
    state = await spending.set_budget(world.services, GUILD, 100, Period.DAY)
    assert not state.is_default
    assert state == await spending.budget(world.services, GUILD)
    assert (await spending.budget(world.services, OTHER_GUILD)).is_default


async def test_reserved_and_paid_credits_both_count(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    await world.finish(await world.accept(), charge=5)
    await world.accept()
    state = await spending.budget(world.services, GUILD)
    assert (state.usage, state.left) == (Usage(settled=5, reserved=8), 87)


@pytest.mark.parametrize("limit", [0, MAX_BUDGET])
async def test_a_budget_may_be_nothing_and_very_much(world: ServicesWorld, limit: int) -> None:
    assert (await spending.set_budget(world.services, GUILD, limit, Period.WEEK)).left == limit


@pytest.mark.parametrize("limit", [-1, MAX_BUDGET + 1])
async def test_a_budget_that_makes_no_sense_changes_nothing(world: ServicesWorld, limit: int) -> None:
    await world.budget(40)
    with pytest.raises(Refused) as caught:
        await spending.set_budget(world.services, GUILD, limit, Period.DAY)
    expected = "The budget must be a whole number from 0 to 1,000,000 credits. Nothing was changed."
    assert str(caught.value) == expected
    assert (await spending.budget(world.services, GUILD)).settings.budget.limit == 40


async def test_a_limit_lowered_under_what_was_spent_leaves_less_than_nothing(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    await world.accept()
    state = await spending.set_budget(world.services, GUILD, 5, Period.DAY)
    assert state.left == -3
    assert str(state.left_words) == "0 of 5 credits left today"


async def test_another_period_counts_what_was_spent_in_it(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    await world.accept()
    world.clock.advance(86_400)
    assert (await spending.budget(world.services, GUILD)).left == 100
    state = await spending.set_budget(world.services, GUILD, 100, Period.WEEK)
    assert state.left == 92
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    assert state.window == Window(monday, monday + timedelta(days=7))


async def test_a_one_off_total_counts_on_until_it_is_begun_anew(world: ServicesWorld) -> None:
    await world.ready()
    await world.budget(20, Period.TOTAL)
    await world.accept()
    world.clock.advance(40 * 86_400)
    assert (await spending.budget(world.services, GUILD)).left == 12  # it never renews by itself
    begun = world.clock.now() - timedelta(days=40)
    for period in (Period.TOTAL, None):
        state = await spending.set_budget(world.services, GUILD, 30, period)
        assert (state.left, state.window) == (22, Window(begun, None))
    state = await spending.set_budget(world.services, GUILD, 20, None, restart=True)
    assert (state.left, state.window) == (20, Window(world.clock.now(), None))
    assert state.limit_words == "20 credits in total"
    assert str(state.renewal_words) == "The budget is a one-off total and doesn't renew."


async def test_what_renews_by_itself_is_not_begun_anew(world: ServicesWorld) -> None:
    await world.budget(20)
    with pytest.raises(Refused, match="renews automatically"):
        await spending.set_budget(world.services, GUILD, 30, Period.WEEK, restart=True)
    assert (await spending.budget(world.services, GUILD)).settings.budget.limit == 20


async def test_a_total_that_takes_a_periods_place_counts_from_then_on(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    await world.accept()
    world.clock.advance(60)
    assert (await spending.set_budget(world.services, GUILD, None, Period.TOTAL)).left == 100


async def test_a_member_sees_their_own_part_and_their_latest_jobs_first(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    mine = [await world.accept() for _ in range(6)]
    await world.accept(user_id=OTHER_MEMBER)
    member = await spending.of_member(world.services, GUILD, MEMBER)
    assert member.use.usage == Usage(reserved=48)
    assert member.budget.left == 44
    recent = (await world.services.db.read(actions.page, GUILD, MEMBER, 0)).jobs
    assert [job.id for job in recent] == [job.id for job in reversed(mine[1:])]


async def test_a_member_who_did_nothing_used_nothing(world: ServicesWorld) -> None:
    assert (await spending.of_member(world.services, GUILD, MEMBER)).use.usage == Usage()


async def test_a_price_is_assumed_until_it_was_seen_and_then_holds_for_all_servers_with_that_key(
    world: ServicesWorld,
) -> None:
    await world.ready()
    await world.ready(OTHER_GUILD)
    job = await world.accept()
    assert (job.estimate, job.price_learned) == (8, False)
    await world.learn(6)
    for guild_id in (GUILD, OTHER_GUILD):
        job = await world.accept(guild_id=guild_id)
        assert (job.estimate, job.price_learned) == (6, True)
    video = await world.accept(inputs={**PICTURE.inputs, "mode": "video"})
    assert (video.estimate, video.price_learned) == (40, False)


async def test_the_price_list_has_every_tool_as_it_is_when_nothing_is_chosen(world: ServicesWorld) -> None:
    await world.ready()
    await world.learn(6)
    await world.learn(40, "mode=video quality=standard")
    prices = await price_list(world)
    assert [(one.tool.slug, one.price) for one in prices] == [
        ("studio", Estimate(6, learned=True)),
        ("virtual-staging", Estimate(8, learned=False)),
        ("photo-restore", Estimate(8, learned=False)),
        ("product-background", Estimate(8, learned=False)),
        ("career-photo", Estimate(8, learned=False)),
    ]


async def test_the_price_list_has_what_other_choices_were_charged(world: ServicesWorld) -> None:
    await world.ready()
    await world.learn(6)
    await world.learn(90, "mode=video quality=high")
    await world.learn(40, "mode=video quality=standard")
    await world.learn(500, "mode=video quality=ultra")  # not suggested
    await world.learn(6, "mode=image quality=high")  # makes no difference
    studio, staging, *_ = await price_list(world)
    assert [(dict(one.choices), one.price.amount) for one in studio.others] == [
        ({"mode": "video"}, 40),
        ({"mode": "video", "quality": "high"}, 90),
    ]
    assert (studio.most, staging.others, staging.most) == (90, (), 8)


def test_prices_say_whether_they_are_known() -> None:
    assert price_words(Estimate(1, learned=True)) == "1 credit (last price)"
    assert price_words(Estimate(1200, learned=False)) == "about 1,200 credits"


@pytest.mark.promise
async def test_a_free_job_of_another_account_opens_no_budget(world: ServicesWorld) -> None:
    await world.ready(daily=1)
    async with world.storage.write() as transaction:
        variant = "mode=image quality=standard"
        await transaction.run(charges.learn, "another account", "studio", variant, 0, world.clock.now())
    with pytest.raises(CreditsShort, match="about 8 credits"):
        await world.accept()
    assert await world.jobs() == []


@pytest.mark.parametrize(("daily", "accepted"), [(0, 0), (1, 1), (3, 3)])
async def test_what_was_free_before_reserves_a_credit_all_the_same(
    world: ServicesWorld, daily: int, accepted: int
) -> None:
    await world.ready(daily=daily)
    await world.learn(0)
    for _ in range(accepted):
        assert (await world.accept()).reserved == 1
    with pytest.raises(CreditsShort):
        await world.accept()


@pytest.mark.promise
async def test_the_first_videos_are_not_accepted_at_the_price_of_a_picture(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    videos = {**PICTURE.inputs, "mode": "video"}
    assert [(await world.accept(inputs=videos)).reserved for _ in range(2)] == [40, 40]
    with pytest.raises(CreditsShort, match=r"about 40 credits"):
        await world.accept(inputs=videos)


async def test_what_another_account_was_charged_can_raise_the_first_guess(world: ServicesWorld) -> None:
    await world.ready()
    async with world.storage.write() as transaction:
        variant = "mode=image quality=standard"
        await transaction.run(charges.learn, "another account", "studio", variant, 30, world.clock.now())
    job = await world.accept()
    assert (job.reserved, job.price_learned) == (30, False)
