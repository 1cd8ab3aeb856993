"""/studii: the key and the budget, for those who may manage the server."""

import logging
from pathlib import Path
from typing import Any

import pytest

from bot.domain.guilds import Period, Plan
from bot.servers import keys
from tests.support import spending
from tests.support.desk import KEY, REFUSED_KEY, Desk, open_desk, texts
from tests.support.settings import admin, pressed


async def enter(desk: Desk, key: str, plan: str = "team") -> str:
    shown = await admin(desk, "key")
    answer = await desk.admin.submit_modal(shown, {"key": key, "plan": [plan]})
    return texts(answer)


@pytest.mark.promise
async def test_an_admin_enters_the_key_and_sees_it_masked_with_the_next_step(desk: Desk) -> None:
    told = await enter(desk, KEY)
    assert "**The key works**: `stu_…cdef` · Team" in told
    assert KEY not in told
    assert "**Next**: set a budget." in told
    kept = await desk.services.db.read(keys.current, desk.guild.id)
    assert kept is not None
    assert kept.plan is Plan.TEAM


@pytest.mark.promise
async def test_without_a_budget_the_default_holds_and_is_named(desk: Desk) -> None:
    told = await enter(desk, KEY)
    assert "100 credits a day" in told
    assert "the default" in told


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
        assert await desk.services.db.read(keys.current, desk.guild.id) is None


async def test_the_form_remembers_the_plan_and_never_the_key(desk: Desk) -> None:
    await enter(desk, KEY, plan="business")
    shown = await admin(desk, "key")
    form: Any = shown.modal
    # Nothing else that could be refused, with which the key that was typed would be lost.
    assert [label["label"] for label in form["components"]] == ["API key", "Plan"]
    (plan,) = (label["component"] for label in form["components"] if label["label"] == "Plan")
    assert [option["value"] for option in plan["options"] if option["default"]] == ["business"]
    assert "cdef" not in str(form)


@pytest.mark.promise
async def test_someone_who_lost_manage_server_cannot_submit_the_form(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await admin(desk, "key")
        member = desk.env.backend.get_guild(desk.guild.id).members[desk.admin.id]
        member.role_ids.clear()
        answer = await desk.admin.submit_modal(shown, {"key": KEY, "plan": ["pro"]})
        assert "Manage Server" in texts(answer)
        assert await desk.services.db.read(keys.current, desk.guild.id) is None


@pytest.mark.promise
async def test_the_key_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_desk(tmp_path) as desk:
        await enter(desk, KEY)
        await enter(desk, REFUSED_KEY)
    assert KEY not in caplog.text
    assert REFUSED_KEY not in caplog.text


@pytest.mark.promise
async def test_the_budget_is_shown_set_and_kept_in_the_parts_that_were_left_out(desk: Desk) -> None:
    shown = texts(await admin(desk, "budget"))
    assert "100 credits a day" in shown
    assert "No budget is set yet" in shown
    told = texts(await admin(desk, "budget", credits=500, period="month"))
    assert "500 credits a month" in told
    told = texts(await admin(desk, "budget", credits=40))
    assert "40 credits a month" in told
    budget = (await spending.budget(desk.services, desk.guild.id)).settings.budget
    assert (budget.limit, budget.period) == (40, Period.MONTH)


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
