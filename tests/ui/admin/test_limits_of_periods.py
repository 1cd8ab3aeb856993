"""Budgets, grants and limits are told in the words of their period: a day, a week, a month, or once."""

from typing import Any

import pytest

from tests.support.desk import Desk, texts


async def said(desk: Desk, command: str, **options: Any) -> str:
    return texts(await desk.admin.slash(desk.channel, f"studii {command}", **options))


@pytest.mark.parametrize(
    ("period", "named", "ends"),
    [
        ("day", "for today", "until the period ends or is changed."),
        ("week", "for this week", "until the period ends or is changed."),
        ("month", "for this month", "until the period ends or is changed."),
        ("total", "for the one-off total", "until the total is restarted or the budget's period is changed."),
    ],
)
async def test_a_grant_counts_for_the_period_of_the_budget(
    desk: Desk, period: str, named: str, ends: str
) -> None:
    await said(desk, "budget", credits=50, period=period)
    shown = await said(desk, "grant", credits=20)
    assert f"Granted 20 credits {named}." in shown
    assert f"A grant counts {ends} A member's grant can't exceed the server's budget." in shown
    shown = texts(await desk.maya.slash(desk.channel, "credits"))
    assert f"The total includes 20 credits granted {named}." in shown
