"""The picture of a server's usage."""

import asyncio
import io
from datetime import date, timedelta

import pytest
from PIL import Image

from bot.errors import Refused
from bot.ui.admin.chart_picture import draw
from bot.ui.admin.usage import MANY_CHARTS, MAX_WAITING_CHARTS, ChartMaker, Series, UsageChart

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
        assert picture.size == (1200, 900)
        found = picture.convert("RGB").getcolors(1 << 20) or []
    return {colour[:3] for count, colour in found if count > 500 and isinstance(colour, tuple)}


def red(limit: float) -> tuple[int, int, bytes]:
    """Return where the budget's colour begins and ends above the legend, and that part of the picture."""
    with Image.open(io.BytesIO(draw(a_chart(limit=limit)))) as picture:
        plot = picture.convert("RGB").crop((0, 0, 1200, 780))
    rows = [y for y in range(780) if any(plot.getpixel((x, y)) == (0xFF, 0x6B, 0x6B) for x in range(1200))]
    return rows[0], rows[-1], plot.crop((0, rows[0], 1200, rows[-1])).tobytes()


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
    maker = ChartMaker()
    small = a_chart(days=DAYS[:2], series=(Series("Studio", (1, 2)),))
    wanted = await asyncio.gather(
        *(maker.usage(small) for _ in range(MAX_WAITING_CHARTS + 1)), return_exceptions=True
    )
    (refused,) = [one for one in wanted if isinstance(one, Refused)]
    assert str(refused) == str(MANY_CHARTS)
    assert sum(isinstance(one, bytes) for one in wanted) == MAX_WAITING_CHARTS
    assert isinstance(await maker.usage(small), bytes)
