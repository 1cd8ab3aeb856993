"""virtual-staging: furniture into the photo of a room."""

import random
from dataclasses import dataclass

from PIL import Image

from sandbox.drawing import Canvas, Colour, Point, hex_colour, mix


@dataclass(frozen=True)
class Style:
    seat: Colour
    cushion: Colour
    rug: Colour
    wood: Colour
    metal: Colour
    leaf: Colour


def _style(text: str) -> Style:
    return Style(*(hex_colour(colour) for colour in text.split()))


STYLES = {
    "modern": _style("4c6a78 e2b04a dcd6cc 8a6644 2e3236 4f7d58"),
    "scandinavian": _style("d9d2c5 8fb0b5 f0ebe0 c99f6d f4f1ea 7c9a72"),
    "industrial": _style("7a4a30 2f3437 5d5a57 5b4230 1f2123 5b6f4b"),
    "minimal": _style("b9b7b1 e9e6df d4d1ca a88b6a 55575a 869a80"),
    "bohemian": _style("b5643c d9a441 a8473a 8b5a34 b08d45 4d7a4a"),
    "luxury": _style("2f5d50 d8b25c e6dccb 5a3825 c9a24d 3f6b4f"),
    "coastal": _style("6f9fba f4efe4 d8e4e6 d3b48c e8e4da 7aa58a"),
    "rustic": _style("8c7355 b5532f c9b08a 6b4426 3c3028 66814f"),
    "classic": _style("6b2f3a d9c08a 8f3f3f 5b3420 b99a55 4b6f4a"),
}


def virtual_staging(photo: Image.Image, text: str, seed: int) -> Image.Image:
    """Put furniture in the style that the text names (any, if it names none) into the photo."""
    words = text.lower()
    rng = random.Random(seed)  # noqa: S311 - a picture, no secret
    named = [style for name, style in STYLES.items() if name in words]
    style = named[0] if named else rng.choice(list(STYLES.values()))
    canvas = Canvas(photo)
    tall = photo.width / photo.height
    _frames(canvas, style)
    _plant(canvas, style, tall)
    _rug(canvas, style)
    if "bed" in words:
        _bed(canvas, style)
    else:
        _sofa(canvas, style)
        _table(canvas, style)
    _lamp(canvas, style)
    return canvas.picture()


def _frames(canvas: Canvas, style: Style) -> None:
    for x0, y0, x1, y1, tint in ((0.3, 0.17, 0.4, 0.38, style.seat), (0.42, 0.21, 0.5, 0.36, style.cushion)):
        canvas.rectangle((x0 + 0.004, y0 + 0.008, x1 + 0.006, y1 + 0.014), (40, 34, 30), 0.35, 0.006)
        canvas.rectangle((x0, y0, x1, y1), style.wood)
        canvas.rectangle((x0 + 0.006, y0 + 0.01, x1 - 0.006, y1 - 0.01), (250, 248, 243))
        inner = (x0 + 0.014, y0 + 0.024, x1 - 0.014, y1 - 0.024)
        canvas.shade((mix(tint, (255, 255, 255), 0.65), mix(tint, (255, 255, 255), 0.3)), inner, 1)
        middle, low, wide = (x0 + x1) / 2, inner[3], (x1 - x0) * 0.3
        canvas.polygon([(inner[0], low), (middle - wide * 0.3, y1 - 0.1), (inner[2], low)], tint)
        canvas.ellipse((middle, y0 + 0.045, middle + 0.018, y0 + 0.072), style.cushion)


def _rug(canvas: Canvas, style: Style) -> None:
    canvas.polygon([(0.2, 0.785), (0.72, 0.785), (0.8, 0.965), (0.1, 0.965)], (30, 22, 16), 0.3, 0.006)
    canvas.polygon([(0.2, 0.78), (0.72, 0.78), (0.8, 0.955), (0.1, 0.955)], style.rug)
    dark = mix(style.rug, style.seat, 0.55)
    for share in (0.1, 0.2, 0.8, 0.9):
        y, half = 0.78 + 0.175 * share, 0.26 + 0.09 * share
        middle = 0.46 - 0.01 * share
        canvas.line([(middle - half * 0.96, y), (middle + half * 0.96, y)], dark, 0.003, 0.8)


def _sofa(canvas: Canvas, style: Style) -> None:
    seat, dark, light = style.seat, mix(style.seat, (0, 0, 0), 0.28), mix(style.seat, (255, 255, 255), 0.16)
    canvas.ellipse((0.2, 0.8, 0.66, 0.87), (26, 20, 16), 0.5, 0.012)
    for x in (0.235, 0.615):
        canvas.polygon([(x - 0.008, 0.8), (x + 0.012, 0.8), (x + 0.008, 0.845), (x, 0.845)], style.wood)
    canvas.rectangle((0.225, 0.5, 0.635, 0.78), dark, radius=0.022)
    for x0, x1 in ((0.245, 0.427), (0.433, 0.615)):
        canvas.shade((light, seat), (x0, 0.515, x1, 0.72), 1, 0.016)
    canvas.rectangle((0.24, 0.72, 0.62, 0.81), dark, radius=0.012)
    for x0, x1 in ((0.245, 0.428), (0.432, 0.615)):
        canvas.shade((light, seat), (x0, 0.675, x1, 0.765), 1, 0.014)
    for x0, x1 in ((0.2, 0.25), (0.61, 0.66)):
        canvas.shade((light, dark), (x0, 0.595, x1, 0.81), 1, 0.018)
    _cushion(canvas, (0.285, 0.62), style.cushion)
    _cushion(canvas, (0.565, 0.625), mix(style.rug, style.cushion, 0.25))
    throw = mix(style.cushion, (255, 255, 255), 0.35)
    canvas.polygon([(0.515, 0.495), (0.55, 0.495), (0.556, 0.6), (0.516, 0.61)], throw, 0.0)


def _cushion(canvas: Canvas, centre: Point, colour: Colour) -> None:
    x, y = centre
    shape: list[Point] = [
        (x - 0.042, y - 0.055), (x, y - 0.048), (x + 0.042, y - 0.058), (x + 0.036, y),
        (x + 0.044, y + 0.062), (x, y + 0.054), (x - 0.044, y + 0.06), (x - 0.037, y),
    ]  # fmt: skip
    canvas.polygon([(px + 0.003, py + 0.008) for px, py in shape], (20, 16, 14), 0.35, 0.004)
    canvas.polygon(shape, colour)
    canvas.ellipse((x - 0.026, y - 0.04, x + 0.012, y + 0.005), (255, 255, 255), 0.22, 0.01)


def _table(canvas: Canvas, style: Style) -> None:
    dark = mix(style.wood, (0, 0, 0), 0.35)
    canvas.ellipse((0.32, 0.9, 0.58, 0.955), (24, 18, 14), 0.45, 0.01)
    for x, lean in ((0.355, -0.012), (0.545, 0.012), (0.42, -0.006), (0.48, 0.006)):
        canvas.line([(x, 0.86), (x + lean, 0.935)], style.metal, 0.006)
    canvas.ellipse((0.32, 0.828, 0.58, 0.892), dark)
    canvas.ellipse((0.32, 0.818, 0.58, 0.882), style.wood)
    canvas.ellipse((0.34, 0.824, 0.5, 0.855), (255, 255, 255), 0.2, 0.008)
    canvas.rectangle((0.39, 0.832, 0.46, 0.852), style.seat, radius=0.002)
    canvas.rectangle((0.396, 0.82, 0.456, 0.835), style.cushion, radius=0.002)
    canvas.rectangle((0.5, 0.79, 0.522, 0.845), (246, 242, 234), radius=0.008)
    for dx, dy in ((-0.014, -0.055), (0.002, -0.075), (0.018, -0.05)):
        canvas.line([(0.511, 0.795), (0.511 + dx, 0.795 + dy)], style.leaf, 0.003)
        canvas.ellipse((0.504 + dx, 0.778 + dy, 0.518 + dx, 0.8 + dy), style.cushion)


def _bed(canvas: Canvas, style: Style) -> None:
    dark, white = mix(style.seat, (0, 0, 0), 0.2), (250, 248, 244)
    canvas.ellipse((0.17, 0.86, 0.7, 0.96), (26, 20, 16), 0.5, 0.012)
    canvas.shade((mix(style.wood, (255, 255, 255), 0.12), style.wood), (0.23, 0.44, 0.64, 0.8), 1, 0.016)
    canvas.polygon([(0.25, 0.66), (0.62, 0.66), (0.68, 0.92), (0.19, 0.92)], mix(style.wood, (0, 0, 0), 0.3))
    canvas.polygon([(0.25, 0.64), (0.62, 0.64), (0.68, 0.86), (0.19, 0.86)], white)
    for x in (0.27, 0.445):
        canvas.shade((white, (222, 218, 210)), (x, 0.57, x + 0.155, 0.68), 1, 0.02)
    _cushion(canvas, (0.435, 0.66), style.cushion)
    canvas.polygon([(0.232, 0.71), (0.638, 0.71), (0.69, 0.89), (0.18, 0.89)], style.seat)
    canvas.polygon(
        [(0.232, 0.71), (0.638, 0.71), (0.645, 0.735), (0.226, 0.735)], mix(style.seat, white, 0.45)
    )
    canvas.polygon([(0.18, 0.89), (0.69, 0.89), (0.685, 0.915), (0.185, 0.915)], dark)


def _lamp(canvas: Canvas, style: Style) -> None:
    canvas.ellipse((0.685, 0.825, 0.785, 0.86), (24, 18, 14), 0.4, 0.008)
    canvas.ellipse((0.7, 0.818, 0.77, 0.846), style.metal)
    canvas.rectangle((0.732, 0.42, 0.738, 0.832), style.metal)
    canvas.glow((0.735, 0.42), 0.24, (255, 222, 160), 0.6)
    canvas.polygon([(0.705, 0.3), (0.765, 0.3), (0.79, 0.43), (0.68, 0.43)], (252, 236, 202))
    canvas.polygon([(0.705, 0.3), (0.72, 0.3), (0.705, 0.43), (0.68, 0.43)], (226, 204, 164), 0.5)
    canvas.ellipse((0.68, 0.42, 0.79, 0.44), (255, 248, 226))


def _plant(canvas: Canvas, style: Style, tall: float) -> None:
    rng = random.Random(4)  # noqa: S311 - the same leaves each time
    canvas.ellipse((0.03, 0.86, 0.19, 0.92), (24, 18, 14), 0.45, 0.01)
    for _ in range(26):
        x = 0.11 + rng.uniform(-0.09, 0.09)
        y = 0.72 - rng.uniform(0.08, 0.36)
        half = rng.uniform(0.012, 0.02)
        colour = mix(style.leaf, rng.choice(((255, 255, 255), (0, 0, 0))), rng.uniform(0.02, 0.26))
        root = (0.11 + rng.uniform(-0.012, 0.012), 0.75)
        middle = (root[0] * 0.35 + x * 0.65, (root[1] * 0.45 + y * 0.55) - 0.02)
        canvas.line([root, middle], colour, 0.003)
        canvas.polygon([middle, (x - half, y + 0.05 * tall), (x, y), (x + half, y + 0.045 * tall)], colour)
    canvas.polygon([(0.068, 0.74), (0.152, 0.74), (0.14, 0.89), (0.08, 0.89)], (238, 232, 222))
    canvas.polygon([(0.12, 0.74), (0.152, 0.74), (0.14, 0.89), (0.118, 0.89)], (196, 186, 172), 0.7, 0.004)
    canvas.ellipse((0.068, 0.73, 0.152, 0.75), (96, 74, 58))
