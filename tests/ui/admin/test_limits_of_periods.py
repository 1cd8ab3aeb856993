"""Budgets, grants and limits are told in the words of their period: a day, a week, a month, or once."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import Desk, open_desk, pieces, texts
from tests.support.settings import admin


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
    tmp_path: Path, period: str, named: str, ends: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await said(desk, "budget", credits=50, period=period)
        shown = await said(desk, "grant", credits=20)
        assert f"Granted 20 credits {named}." in shown
        assert f"A grant counts {ends} A member's grant can't exceed the server's budget." in shown
        shown = texts(await desk.maya.slash(desk.channel, "credits"))
        assert f"The total includes 20 credits granted {named}." in shown


async def test_what_limits_a_member_is_told_to_admins(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        gold = desk.guild.create_role("Gold")
        rita = desk.guild.add_member(desk.env.create_user("rita"), roles=[gold])
        await admin(desk, "allowance", role=gold, credits=20)
        await admin(desk, "allowance", at_once=3, starts=1, minutes=10)
        shown = await said(desk, "grant", member=rita)
        assert "20 of 20 credits left today** (the highest of their roles' allowances: 20 credits)." in shown
        assert "Running jobs: 0 of 3" in shown
        assert "Start rate: 1 job in 10 minutes\n" in shown
        await rita.slash(desk.channel, "studio", prompt="A red kite")
        shown = await said(desk, "grant", member=rita)
        next_start = int(desk.clock.now().timestamp()) + 600
        assert "Running jobs: 1 of 3" in shown
        assert f"Start rate: 1 job in 10 minutes; next start <t:{next_start}:R>" in shown


@pytest.mark.parametrize(
    ("span", "title"),
    [
        ("week", "in the last 7 days"),
        ("days_30", "in the last 30 days"),
        ("this_month", "this month"),
        ("last_month", "last month"),
        ("days_90", "in the last 90 days"),
    ],
)
async def test_the_chart_of_a_period_is_titled_with_it(tmp_path: Path, span: str, title: str) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await admin(desk, "usage", period=span)
        assert f"Credits {title}\n" in f"{texts(shown)}\n"
        (gallery,) = (piece for piece in pieces(shown) if piece["type"] == 12)
        described = gallery["items"][0]["description"]
        assert described == f"Bar chart of credits per day {title}, stacked by tool. Nothing was spent."


@pytest.mark.parametrize(
    ("period", "line"),
    [("week", "budget 70 a week ≈ 10 a day"), ("month", "budget 70 a month ≈ 2 a day")],
)
async def test_the_line_of_the_chart_is_a_days_part_of_the_budget(
    tmp_path: Path, period: str, line: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await said(desk, "budget", credits=70, period=period)
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        shown = await admin(desk, "usage")
        (gallery,) = (piece for piece in pieces(shown) if piece["type"] == 12)
        assert f"Line: {line}." in gallery["items"][0]["description"]


async def test_a_total_that_was_set_while_the_clock_was_ahead_counts_all_jobs(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await said(desk, "budget", credits=50, period="total")
        desk.clock.advance(-3600)
        assert "The total counts all jobs. The server's time zone is UTC." in await said(desk, "budget")


async def test_the_chart_is_described_with_its_day_and_the_tools_that_took_most(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        shown = await admin(desk, "usage")
        (gallery,) = (piece for piece in pieces(shown) if piece["type"] == 12)
        described = gallery["items"][0]["description"]
        said = r" 8 credits in total, most on \w+ \d+ \(8\)\. Most went to Studio \(8\)\."
        assert re.search(said, described)
