"""The panel that leads through the setup, and says what is missing."""

from pathlib import Path

import pytest
from simcord import InteractionResult
from sqlalchemy import update

from bot.jobs.models import JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.servers.key_entry import lost
from bot.servers.keys import Plan, StudiiKey
from bot.servers.settings import Period
from bot.ui.kit.layout import GOING, GOOD
from tests.support import spending
from tests.support.desk import KEY, REFUSED_KEY, Desk, answer_of, open_desk, pieces, texts
from tests.support.jobs import held, known
from tests.support.settings import admin, change, pressed


@pytest.mark.promise
async def test_the_panel_names_the_permissions_that_lack_in_this_channel(desk: Desk) -> None:
    quiet = desk.channel_for_the_bot("quiet", attach_files=False)
    told = texts(await desk.admin.slash(quiet, "studii setup"))
    assert "❌ **In this channel** I can't post results: I'm missing **Attach Files**" in told
    assert "Not ready yet" in told


@pytest.mark.promise
async def test_a_key_that_studii_does_not_serve_now_is_said_with_the_reason_and_can_be_tried_again(
    desk: Desk,
) -> None:
    key = await desk.resources.db.read(keys.current, desk.guild.id)
    assert key is not None
    until = desk.clock.now().replace(hour=23)
    await desk.db.write(held, desk.guild.id, key.id, Reason(ReasonCode.OUT_OF_CREDITS), until)
    shown = await desk.admin.slash(desk.channel, "studii setup")
    assert "❌ **Key**: `stu_…cdef`. Studii has no credits left for this." in texts(shown)
    assert "**Ready.**" not in texts(shown)
    assert "Studii has no credits left for this." in texts(await desk.maya.slash(desk.channel, "help"))
    answer = await desk.admin.click(answer_of(shown), label="Try again")
    assert "will try Studii now" in texts(answer)
    await desk.set_key()  # a key that works was entered
    assert "**Ready.**" in texts(await desk.admin.slash(desk.channel, "studii setup"))


def colour(shown: InteractionResult) -> int:
    return next(int(piece["accent_color"]) for piece in pieces(shown) if piece["type"] == 17)


@pytest.mark.promise
async def test_a_log_channel_that_everyone_can_read_is_said_and_ready_is_not_green(desk: Desk) -> None:
    assert colour(await desk.admin.slash(desk.channel, "studii setup")) == GOOD.value
    log = desk.guild.create_text_channel("for-all")
    told = await change(desk, "setup", "log_channel", log)
    assert "Everyone can read it" in told
    shown = await desk.admin.slash(desk.channel, "studii setup")
    assert "**Ready, but everyone can read the log channel.**" in texts(shown)
    assert f"⚠️ **Log channel**: <#{log.id}>. Everyone can read it" in texts(shown)
    assert colour(shown) == GOING.value


@pytest.mark.promise
@pytest.mark.parametrize("limit", [0, 1])
async def test_with_too_little_left_for_any_job_ready_is_not_green(desk: Desk, limit: int) -> None:
    await admin(desk, "budget", credits=limit, period="day")
    shown = await desk.admin.slash(desk.channel, "studii setup")
    assert "**No job can start now.** The cheapest tool costs 8 credits" in texts(shown)
    assert "**Next**: set a budget." in texts(shown)
    assert f"the server has {limit} of {limit} credit" in texts(shown)
    assert "**Ready" not in texts(shown)
    assert colour(shown) == GOING.value


@pytest.mark.promise
async def test_forgetting_the_key_asks_first_cancels_what_waits_and_lets_running_jobs_end(
    desk: Desk,
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="one")
    going = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    await desk.maya.slash(desk.channel, "studio", prompt="two")
    waiting = await desk.job()
    asked = await pressed(desk, "setup", "studii:setup:ask")
    assert "Waiting jobs are cancelled at no cost" in texts(asked)
    await desk.admin.click(answer_of(asked), label="Keep key")
    assert await desk.resources.db.read(keys.current, desk.guild.id) is not None  # nothing has happened yet
    asked = await pressed(desk, "setup", "studii:setup:ask")
    await desk.admin.click(answer_of(asked), label="Remove key")
    assert (
        "The key is removed. 1 waiting job was cancelled at no cost. 1 running job will still be posted."
        in texts(asked)
    )
    assert await desk.resources.db.read(keys.current, desk.guild.id) is None
    cancelled = await known(desk.db, waiting.id)
    assert (cancelled.state, cancelled.reserved, cancelled.settled) == (JobState.CANCELLED, 0, 0)
    assert (await known(desk.db, going.id)).state is JobState.RUNNING


@pytest.mark.promise
async def test_a_lost_encryption_key_asks_each_admin_once(desk: Desk) -> None:
    assert await desk.resources.db.write(lost, desk.resources.vault) == []
    unreadable = update(StudiiKey).values(ciphertext=b"sealed with a key that is gone")
    await desk.resources.db.write(lambda session: session.execute(unreadable))
    assert "can't be read any more" in texts(await desk.admin.slash(desk.channel, "studii setup"))
    assert await desk.resources.db.write(lost, desk.resources.vault) == [desk.guild.id]
    assert await desk.resources.db.write(lost, desk.resources.vault) == []


# The key and the budget


async def enter(desk: Desk, key: str) -> str:
    shown = await pressed(desk, "setup", "studii:setup:key")
    return texts(await desk.admin.submit_modal(shown, {"key": key, "plan": ["team"]}))


@pytest.mark.promise
async def test_an_admin_enters_the_key_and_sees_it_masked_with_the_next_step_and_the_default_budget(
    desk: Desk,
) -> None:
    told = await enter(desk, KEY)
    assert "**The key works**: `stu_…cdef` · Team" in told
    assert KEY not in told
    assert "**Next**: set a budget." in told
    assert "100 credits a day" in told
    assert "the default" in told
    kept = await desk.resources.db.read(keys.current, desk.guild.id)
    assert kept is not None
    assert kept.plan is Plan.TEAM


@pytest.mark.promise
@pytest.mark.parametrize(
    ("key", "reason"),
    [(REFUSED_KEY, "Studii refused this key"), ("sk_0123456789abcdef", "must start with `stu_`")],
)
async def test_what_makes_no_sense_is_refused_and_nothing_changes(
    tmp_path: Path, key: str, reason: str
) -> None:
    async with open_desk(tmp_path) as desk:
        told = await enter(desk, key)
        assert reason in told
        assert key not in told
        assert await desk.resources.db.read(keys.current, desk.guild.id) is None


@pytest.mark.promise
async def test_the_budget_is_shown_set_and_kept_in_the_parts_that_were_left_out(desk: Desk) -> None:
    shown = texts(await admin(desk, "budget"))
    assert "100 credits a day" in shown
    assert "No budget is set yet" in shown
    told = await change(desk, "setup", "budget", limit="2,000", period=["month"])
    assert "✅ **Server budget**: changed from 100 credits a day to 2,000 credits a month." in told
    told = texts(await admin(desk, "budget", credits=500, period="month"))
    assert "500 credits a month" in told
    told = texts(await admin(desk, "budget", credits=40))
    assert "40 credits a month" in told
    budget = (await spending.budget(desk.resources, desk.guild.id)).settings
    assert (budget.budget_limit, budget.budget_period) == (40, Period.MONTH)


@pytest.mark.promise
async def test_a_total_says_since_when_it_counts_and_begins_anew_only_when_asked(desk: Desk) -> None:
    begun = int(desk.clock.now().timestamp())
    shown = texts(await admin(desk, "budget", credits=50, period="total"))
    assert f"since <t:{begun}:f>" in shown
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    desk.clock.advance(3600)
    shown = texts(await admin(desk, "budget", credits=60, period="total"))
    assert f"since <t:{begun}:f>" in shown
    assert "52 of 60 credits left" in shown
    shown = texts(await pressed(desk, "credits", "studii:restart:credits"))
    assert f"since <t:{begun + 3600}:f>" in shown
    assert "60 of 60 credits left" in shown
