"""Where the credits went, and the ledger as a file, seen by an admin alone."""

import asyncio
import csv
import io
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from bot.credits import ledger
from bot.credits.ledger import EntryKind
from bot.credits.usage import Span, report as report_of, write_ledger
from bot.errors import Refused
from bot.servers import settings
from bot.servers.settings import Period
from bot.ui.admin.chart_picture import draw
from bot.ui.admin.usage import MANY_CHARTS, MAX_WAITING_CHARTS, Series, UsageChart, picture_of, usage_chart
from tests.support import spending
from tests.support.desk import DONE, Desk, answer_of, pieces, read_alone, texts
from tests.support.jobs import ledger_lines
from tests.support.presses import app_in
from tests.support.settings import control, export, usage


async def some_jobs(desk: Desk) -> None:
    """Maya makes two, one of them yesterday, and Tom one that is still going."""
    await desk.set_key()
    for charge in (8, 20):
        await desk.maya.slash(desk.channel, "studio", prompt="=2+2")
        await desk.settle(await desk.move(await desk.job(), *DONE), charge)
        desk.clock.advance(24 * 3600)
    await desk.tom.slash(desk.channel, "studio", prompt="A kite")


def attached(answer: Any, desk: Desk) -> bytes:
    (file,) = (answer.followups[-1] if answer.followups else answer.response).attachments
    data = desk.env.backend.cdn.get(file.url)
    assert data is not None
    return data


def ledger_in(desk: Desk, answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(attached(answer, desk).decode("utf-8-sig"))))


@pytest.mark.promise
async def test_an_admin_sees_a_picture_with_top_members_and_tools_beside_it(desk: Desk) -> None:
    await some_jobs(desk)
    answer = await usage(desk)
    shown = read_alone(answer)
    assert f"<@{desk.maya.id}> · **28 credits** · 2 jobs" in shown
    assert shown.index(f"<@{desk.maya.id}>") < shown.index(f"<@{desk.tom.id}>")
    assert "Studio · **" in shown
    assert "3 jobs" in shown
    (gallery,) = (piece for piece in pieces(answer) if piece["type"] == 12)
    said = gallery["items"][0]["description"]
    assert "stacked by tool" in said
    assert "most on March 3 (20)" in said
    assert "budget 100 a day" in said
    with Image.open(io.BytesIO(attached(answer, desk))) as picture:
        assert picture.format == "PNG"
    months = control(answer, "studii:usage:shown")
    await desk.admin.select(answer_of(answer), ["last_month"], custom_id=months)
    assert "No one made anything" in texts(answer)
    await desk.admin.click(answer_of(answer), label="Back")
    assert "### 💳 Credits" in texts(answer)


@pytest.mark.promise
async def test_a_budget_far_above_what_was_spent_is_an_arrow_and_a_near_one_a_line(desk: Desk) -> None:
    await some_jobs(desk)

    async def marked() -> list[bool]:
        """Return whether the budget is marked in its red above the bars' part of the picture, and in it."""
        with Image.open(io.BytesIO(attached(await usage(desk), desk))) as picture:
            parts = [picture.convert("RGB").crop(box) for box in ((0, 120, 960, 190), (0, 200, 960, 640))]
        return [
            (0xFF, 0x6B, 0x6B) in {colour for _, colour in part.getcolors(1 << 20) or ()} for part in parts
        ]

    assert await marked() == [True, False]
    await spending.set_budget(desk.resources, desk.guild.id, 40, Period.DAY)
    assert await marked() == [False, True]


@pytest.mark.promise
async def test_days_are_counted_in_the_servers_zone_and_the_sums_are_the_ledgers(desk: Desk) -> None:
    await some_jobs(desk)  # at noon UTC: in Auckland it is the next day
    await desk.db.write(settings.change, desk.guild.id, timezone="Pacific/Auckland")
    report = await desk.resources.db.read(report_of, desk.guild.id, Span.WEEK, desk.clock.now())
    per_day = [sum(day) for day in zip(*report.daily, strict=True)]
    spent = {str(day): amount for day, amount in zip(report.days, per_day, strict=True)}
    used = [day for day in report.days if spent[str(day)]]
    assert usage_chart(report, desk.bot.catalog, Span.WEEK).days == tuple(used)
    assert {day: amount for day, amount in spent.items() if amount} == {
        "2026-03-03": 8,
        "2026-03-04": 20,
        "2026-03-05": report.credits - 28,
    }
    entries = await ledger_lines(desk.db, guild_id=desk.guild.id)
    assert await desk.db.read(ledger.differing) == []
    put_aside = sum(one.amount for one in entries if one.kind in {"reserve", "correct"})
    released = sum(one.amount for one in entries if one.kind == "release")
    assert report.credits == put_aside - released


@pytest.mark.promise
async def test_the_ledger_is_a_file_for_the_admin_alone_with_every_line(desk: Desk) -> None:
    await some_jobs(desk)
    answer = await export(desk)
    said = read_alone(answer)
    rows = ledger_in(desk, answer)
    entries = await ledger_lines(desk.db, guild_id=desk.guild.id)
    assert [(row["entry"], int(row["credits"])) for row in rows] == [
        (entry.kind.value, entry.amount) for entry in entries
    ]
    assert {row["job_state"] for row in rows} == {"done", "in the queue"}
    assert "`time` and `time_utc` are both in UTC." in said
    assert rows[0]["member"] == f"<@{desk.maya.id}>"
    assert "`member` is a mention: pasted into Discord, it shows who that is." in said
    assert rows[0]["time_utc"] == "2026-03-02T12:00:00Z"
    assert "kite" not in str(rows)
    assert f"{len(rows)} lines" in said
    assert all(f"`{kind}`" in said for kind in EntryKind)
    with app_in("de"):  # states are in the reader's language like the headings
        rows = ledger_in(desk, await export(desk))
    assert {row["auftragsstatus"] for row in rows} == {"fertig", "in der Warteschlange"}


@pytest.mark.promise
async def test_a_ledger_has_no_other_servers_lines_and_is_zipped_if_it_is_too_large(
    desk: Desk, tmp_path: Path
) -> None:
    await some_jobs(desk)

    async def written(guild_id: int, most: int) -> tuple[Path, int]:
        folder = tmp_path / f"{guild_id}-{most}"
        folder.mkdir()
        asked = guild_id, None, desk.clock.now(), ZoneInfo("UTC"), folder, most
        return await write_ledger(desk.resources.db, *asked, state_words=str)

    path, lines = await written(desk.guild.id + 1, 10_000)
    assert (lines, len(path.read_text("utf-8").splitlines())) == (0, 1)
    plain = (await written(desk.guild.id, 10_000))[0].read_bytes()
    packed, _ = await written(desk.guild.id, len(plain) - 1)
    assert packed.suffix == ".zip"
    with zipfile.ZipFile(packed) as archive:
        assert archive.read("ledger.csv") == plain


@pytest.mark.promise
async def test_what_a_member_typed_runs_in_no_admins_spreadsheet(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite", quality='x;=HYPERLINK("//x")')
    (row,) = ledger_in(desk, await export(desk))
    cells = [cell for part in row.values() for cell in re.split("[;\t]", part)]
    assert cells[-2] == """'=HYPERLINK("//x")"""
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


DAYS = tuple(date(2026, 3, 1) + timedelta(days=number) for number in range(30))
BACK = (0x2B, 0x2D, 0x31)


def a_chart(**changes: object) -> UsageChart:
    given: dict[str, object] = {
        "title": "Credits",
        "subtitle": "some",
        "days": DAYS,
        "series": (Series("Studio", tuple(range(30))), Series("Staging", (5,) * 30)),
        "limit": 30.0,
        "limit_words": "budget 30 a day",
    }
    return UsageChart(**(given | changes))  # type: ignore[arg-type]


def colours(png: bytes) -> set[tuple[int, ...]]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (960, 760)
        found = picture.convert("RGB").getcolors(1 << 20) or []
    return {colour[:3] for count, colour in found if count > 500 and isinstance(colour, tuple)}


@pytest.mark.parametrize(
    "changes",
    [
        {"series": ()},
        {"series": (Series("Studio", (0,) * 30),)},
        {"series": tuple(Series(f"Tool {number}", (number,) * 30) for number in range(12))},
        {"series": (Series("$x$ costs $5 _a_ {b}", (3,) * 30),), "title": "$ $", "limit_words": "$ a $"},
        {"days": DAYS[:1], "series": (Series("Studio", (3,)),)},
        {"limit": 1_000_000.0},
        {"series": (Series("Studio", (3_000_000,) * 30),), "limit": 2_500_000.0},
        {"limit": 0.0},
    ],
)
def test_whatever_there_is_to_draw_is_drawn(changes: dict[str, object]) -> None:
    assert BACK in colours(draw(a_chart(**changes)))


@pytest.mark.promise
async def test_more_pictures_than_can_be_drawn_soon_are_refused_and_the_rest_come() -> None:
    small = a_chart(days=DAYS[:2], series=(Series("Studio", (1, 2)),))
    wanted = await asyncio.gather(
        *(picture_of(small) for _ in range(MAX_WAITING_CHARTS + 1)), return_exceptions=True
    )
    (refused,) = [one for one in wanted if isinstance(one, Refused)]
    assert str(refused) == str(MANY_CHARTS)
    assert sum(isinstance(one, bytes) for one in wanted) == MAX_WAITING_CHARTS
    assert isinstance(await picture_of(small), bytes)
