"""Draw the delay until finished jobs are noticed, by load and policy."""

from math import log10
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bench.simulation.bound import lower_bound
from bench.simulation.measure import Result

COLORS = {
    "lane": "#2f6df6",
    "round-robin": "#8a94a6",
    "fixed 2 s": "#e0a33a",
    "fixed 5 s": "#d9773f",
    "exponential": "#c0504d",
}
WIDTH, LEFT, TOP, BAR, GAP = 1200, 270, 96, 15, 20
AXIS_FROM_SECONDS, AXIS_TO_SECONDS = 0.2, 200.0  # seconds; the axis is logarithmic
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100)


def draw(results: list[Result], path: Path) -> None:
    """Draw a group of bars for each steady load that has a bound. The black mark is the bound."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        if one.policy in COLORS and not one.load.burst and lower_bound(one.load) is not None:
            groups.setdefault(one.load.name, []).append(one)
    height = TOP + sum(len(bars) * BAR + GAP for bars in groups.values()) + 20
    picture = Image.new("RGB", (WIDTH, height), "white")
    pen = ImageDraw.Draw(picture)
    small, large = ImageFont.load_default(14), ImageFont.load_default(20)
    title = "Seconds that a finished job waits to be seen (mean), and until it was begun"
    pen.text((20, 14), title, "black", large)
    _legend(pen, small)
    for tick in TICKS:
        pen.line((_x(tick), TOP - 8, _x(tick), height - 14), "#e6e8ec")
        pen.text((_x(tick), TOP - 24), f"{tick:g}", "#555555", small, anchor="mt")
    y = TOP
    for name, bars in groups.items():
        pen.text((LEFT - 12, y + len(bars) * BAR / 2), name, "black", small, anchor="rm")
        for number, one in enumerate(bars):
            top = y + number * BAR
            pen.rectangle((LEFT, top, _x(one.mean), top + BAR - 3), COLORS[one.policy])
        bound = lower_bound(bars[0].load)
        if bound is not None:
            pen.line((_x(bound), y - 3, _x(bound), y + len(bars) * BAR), "black", 2)
        for number, one in enumerate(bars):
            x, top, label = _x(one.mean) + 6, y + number * BAR, _label(one)
            pen.rectangle((x - 2, top, x + pen.textlength(label, small) + 2, top + BAR - 3), "white")
            pen.text((x, top - 2), label, "#333333", small)
        y += len(bars) * BAR + GAP
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)


def _label(one: Result) -> str:
    """Label the load.

    A policy that begins fewer jobs sees those sooner: how long they waited for that is a part of it.
    """
    begun = one.overhead - one.mean
    label = f"{one.mean:.1f}" + (f", begun after {begun:.0f}" if begun >= 1.0 else "")
    return label + (f"; {one.refused:.0%} refused" if one.refused >= 0.01 else "")


def _x(seconds: float) -> float:
    inside = min(max(seconds, AXIS_FROM_SECONDS), AXIS_TO_SECONDS)
    return LEFT + (WIDTH - LEFT - 240) * log10(inside / AXIS_FROM_SECONDS) / log10(
        AXIS_TO_SECONDS / AXIS_FROM_SECONDS
    )


def _legend(pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    x = 20.0
    for name, color in COLORS.items():
        pen.rectangle((x, 48, x + 12, 60), color)
        pen.text((x + 18, 45), name, "black", font)
        x += 18 + pen.textlength(name, font) + 24
    pen.line((x, 46, x, 62), "black", 2)
    pen.text((x + 8, 45), "no policy is better in the long run", "black", font)
