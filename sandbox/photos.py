"""Sample photos to feed the tools: drawn, the same every time, as JPEG bytes."""

import random
from collections.abc import Callable
from itertools import pairwise

from PIL import Image, ImageOps

from sandbox.drawing import Canvas, Colour, Point, gradient, grain, jpeg, mix, resized, toned, vignette

Photo = Callable[[tuple[int, int]], bytes]
"""Draws a photo of a size in pixels."""

_WOOD: tuple[Colour, ...] = ((186, 142, 98), (176, 131, 88), (195, 152, 108), (168, 124, 82))


def empty_room(size: tuple[int, int] = (1200, 800)) -> bytes:
    """Draw a bright empty room: two walls, a plank floor, a window with daylight."""
    canvas = Canvas(gradient(size, ((250, 249, 246), (238, 234, 227))))
    canvas.polygon([(0, 0), (0.16, 0.09), (0.16, 0.66), (0, 0.86)], (221, 216, 208))
    canvas.polygon([(0, 0), (1, 0), (1, 0.05), (0.16, 0.09)], (252, 252, 250))
    _planks(canvas, random.Random(7))  # noqa: S311 - a picture, no secret
    canvas.polygon([(0.16, 0.635), (1, 0.635), (1, 0.665), (0.16, 0.665)], (255, 255, 253))
    canvas.polygon([(0, 0.825), (0.16, 0.635), (0.16, 0.665), (0, 0.865)], (240, 237, 231))
    canvas.line([(0.16, 0.09), (0.16, 0.635)], (196, 190, 181), 0.004, 0.8, 0.003)
    _window(canvas, (0.66, 0.14, 0.9, 0.52))
    canvas.polygon([(0.42, 0.74), (0.62, 0.74), (0.56, 0.98), (0.26, 0.98)], (255, 246, 220), 0.4, 0.008)
    canvas.polygon([(0.66, 0.74), (0.8, 0.74), (0.86, 0.98), (0.64, 0.98)], (255, 246, 220), 0.3, 0.008)
    canvas.glow((0.78, 0.3), 0.45, (255, 250, 235), 0.35)
    return jpeg(vignette(grain(canvas.picture(), 0.05, 1), 0.3))


def _planks(canvas: Canvas, rng: random.Random) -> None:
    canvas.polygon([(0, 0.86), (0.16, 0.66), (1, 0.66), (1, 1), (0, 1)], _WOOD[0])
    rows = [0.66 + 0.34 * (n / 9) ** 1.45 for n in range(10)]
    for row, (top, bottom) in enumerate(pairwise(rows)):
        x = -0.3 + rng.uniform(0, 0.2)
        while x < 1.3:
            wide = rng.uniform(0.2, 0.36) * (0.55 + row / 12)
            lean = (bottom - top) * 0.35
            left = max(0.0, 0.16 - (top - 0.66) * 0.8)
            low = max(0.0, 0.16 - (bottom - 0.66) * 0.8)
            shape: list[Point] = [
                (max(left, x), top),
                (max(left, x + wide), top),
                (max(low, x + wide - lean), bottom),
                (max(low, x - lean), bottom),
            ]
            canvas.polygon(shape, mix(rng.choice(_WOOD), (120, 84, 52), rng.uniform(0, 0.16)))
            canvas.line([shape[1], shape[2]], (112, 78, 48), 0.0012, 0.7)
            x += wide
        canvas.line([(max(0.0, 0.16 - (top - 0.66) * 0.8), top), (1, top)], (112, 78, 48), 0.0012, 0.6)
    canvas.shade(((70, 48, 30), (120, 90, 60)), (0.16, 0.665, 1, 0.72), 0.22)


def _window(canvas: Canvas, box: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = box
    canvas.rectangle((x0 - 0.016, y0 - 0.02, x1 + 0.016, y1 + 0.025), (120, 112, 100), 0.35, 0.008)
    canvas.rectangle((x0 - 0.014, y0 - 0.02, x1 + 0.014, y1 + 0.02), (255, 255, 255))
    canvas.shade(((157, 203, 232), (205, 229, 240), (240, 246, 238)), box, 1)
    canvas.ellipse((x0 + 0.005, y1 - 0.15, x0 + 0.11, y1 - 0.005), (150, 186, 140), 0.9, 0.006)
    canvas.ellipse((x0 + 0.1, y1 - 0.12, x1 - 0.005, y1 - 0.005), (128, 168, 122), 0.9, 0.006)
    middle, across = (x0 + x1) / 2, y0 + (y1 - y0) * 0.42
    canvas.rectangle((middle - 0.005, y0, middle + 0.005, y1), (252, 252, 252))
    canvas.rectangle((x0, across - 0.007, x1, across + 0.007), (252, 252, 252))
    canvas.rectangle((x0 - 0.028, y1 + 0.02, x1 + 0.028, y1 + 0.042), (255, 255, 255), 1, 0, 0.003)
    canvas.rectangle((x0 - 0.026, y1 + 0.044, x1 + 0.026, y1 + 0.06), (90, 84, 76), 0.22, 0.005)


def old_photo(size: tuple[int, int] = (1100, 800)) -> bytes:
    """Draw a faded sepia print of a house in the hills, with scratches, dust and a crease."""
    rng = random.Random(11)  # noqa: S311 - a picture, no secret
    canvas = Canvas(gradient(size, ((176, 190, 205), (214, 220, 224), (240, 238, 230))))
    for x, y, wide in ((0.25, 0.2, 0.16), (0.34, 0.16, 0.1), (0.78, 0.26, 0.18), (0.7, 0.22, 0.09)):
        canvas.ellipse((x - wide, y - 0.05, x + wide, y + 0.05), (250, 250, 248), 0.75, 0.018)
    canvas.polygon(
        [(0, 0.5), (0.18, 0.33), (0.34, 0.45), (0.52, 0.28), (0.76, 0.46), (1, 0.36), (1, 1), (0, 1)],
        (140, 150, 158),
    )
    canvas.ellipse((-0.4, 0.48, 0.7, 1.3), (104, 120, 96))
    canvas.ellipse((0.2, 0.54, 1.5, 1.5), (128, 142, 108))
    canvas.polygon([(0.46, 0.78), (0.54, 0.78), (0.72, 1.01), (0.3, 1.01)], (206, 196, 172))
    for x, y, s in ((0.1, 0.62, 0.12), (0.2, 0.6, 0.09), (0.86, 0.62, 0.13), (0.95, 0.66, 0.1)):
        _tree(canvas, x, y, s)
    _house(canvas)
    for number in range(8):
        x = 0.05 + number * 0.045
        canvas.rectangle((x, 0.84, x + 0.008, 0.95), (92, 84, 70))
    canvas.rectangle((0.04, 0.87, 0.39, 0.883), (92, 84, 70))
    grey = toned(ImageOps.autocontrast(vignette(canvas.picture(), 0.7).convert("L")), lambda v: 62 + v * 0.6)
    worn = Canvas(ImageOps.colorize(grey, (56, 36, 20), (246, 226, 184), (166, 128, 86)))
    _damage(worn, rng)
    edge = Image.new("RGB", size, (240, 228, 202))
    inner = (size[0] - 70, size[1] - 70)
    edge.paste(resized(worn.picture(), inner, Image.Resampling.LANCZOS), (35, 35))
    return jpeg(grain(edge, 0.22, 3))


def _tree(canvas: Canvas, x: float, y: float, s: float) -> None:
    canvas.rectangle((x - s * 0.06, y, x + s * 0.06, y + s * 1.5), (74, 62, 50))
    for dx, dy, r in ((0, -0.5, 0.62), (-0.4, 0, 0.5), (0.4, 0.05, 0.5), (0, 0.2, 0.55)):
        at_x, at_y = x + dx * s, y + dy * s
        canvas.ellipse(
            (at_x - r * s, at_y - r * s * 1.3, at_x + r * s, at_y + r * s * 1.3), (70, 88, 66), 0.95, 0.003
        )
    canvas.ellipse((x - 0.45 * s, y - 0.95 * s, x + 0.15 * s, y - 0.2 * s), (112, 130, 96), 0.5, 0.008)


def _house(canvas: Canvas) -> None:
    canvas.ellipse((0.28, 0.74, 0.76, 0.84), (40, 44, 36), 0.4, 0.012)
    canvas.rectangle((0.34, 0.52, 0.66, 0.79), (226, 218, 200))
    canvas.rectangle((0.34, 0.52, 0.41, 0.79), (196, 186, 166))
    canvas.rectangle((0.57, 0.34, 0.605, 0.46), (150, 104, 84))
    canvas.polygon([(0.3, 0.54), (0.41, 0.37), (0.6, 0.37), (0.7, 0.54)], (130, 78, 62))
    canvas.line([(0.3, 0.54), (0.7, 0.54)], (90, 52, 42), 0.008)
    canvas.rectangle((0.47, 0.63, 0.535, 0.79), (98, 66, 48))
    canvas.ellipse((0.522, 0.705, 0.529, 0.716), (220, 190, 120))
    for x in (0.375, 0.58):
        canvas.rectangle((x - 0.006, 0.592, x + 0.056, 0.698), (250, 246, 236))
        canvas.rectangle((x, 0.6, x + 0.05, 0.69), (84, 100, 112))
        canvas.line([(x + 0.025, 0.6), (x + 0.025, 0.69)], (250, 246, 236), 0.004)
        canvas.line([(x, 0.645), (x + 0.05, 0.645)], (250, 246, 236), 0.004)


def _damage(canvas: Canvas, rng: random.Random) -> None:
    pale = (252, 242, 218)
    for _ in range(26):
        x, y = rng.random(), rng.random()
        path: list[Point] = [(x, y)]
        for _ in range(rng.randint(2, 5)):
            x, y = x + rng.uniform(-0.03, 0.03), y + rng.uniform(0.03, 0.16)
            path.append((x, y))
        canvas.line(path, pale, rng.uniform(0.0008, 0.0022), rng.uniform(0.55, 0.95))
    for _ in range(170):
        x, y, r = rng.random(), rng.random(), rng.uniform(0.0008, 0.0036)
        canvas.ellipse((x - r, y - r, x + r, y + r * 1.4), pale if rng.random() < 0.7 else (60, 40, 24), 0.85)
    crease: list[Point] = [(0.7 + 0.012 * rng.uniform(-1, 1), n / 12) for n in range(13)]
    canvas.line(crease, pale, 0.0035, 0.85, 0.0006)
    canvas.line([(x + 0.004, y) for x, y in crease], (70, 46, 28), 0.003, 0.5, 0.001)
    canvas.ellipse((0.02, 0.62, 0.24, 0.96), (120, 82, 40), 0.22, 0.02)
    canvas.polygon([(0.93, 0), (1, 0), (1, 0.11)], (244, 232, 206))
    canvas.line([(0.93, 0), (1, 0.11)], (110, 80, 52), 0.003, 0.7, 0.001)


def product(size: tuple[int, int] = (1000, 1000)) -> bytes:
    """Draw a blue mug among the clutter of a kitchen table."""
    canvas = Canvas(gradient(size, ((206, 201, 192), (218, 213, 204))))
    canvas.shade(((176, 158, 136), (190, 172, 150)), (0, 0.56, 1, 1.01), 1)
    canvas.shade(((120, 106, 90), (176, 158, 136)), (0, 0.56, 1, 0.6), 0.5)
    canvas.polygon([(0.02, 0.8), (0.22, 0.74), (0.3, 0.9), (0.08, 0.98)], (246, 244, 238))
    for n in range(5):
        canvas.line(
            [(0.06 + n * 0.008, 0.81 + n * 0.028), (0.2 + n * 0.012, 0.768 + n * 0.028)],
            (150, 160, 176),
            0.004,
            0.7,
        )
    canvas.line([(0.68, 0.93), (0.93, 0.86)], (214, 156, 52), 0.018)
    canvas.line([(0.91, 0.866), (0.95, 0.854)], (240, 214, 170), 0.014)
    canvas.ellipse((0.78, 0.62, 0.96, 0.71), (150, 122, 96), 0.7)
    canvas.ellipse((0.793, 0.629, 0.947, 0.701), (184, 166, 144))
    canvas.ellipse((0.04, 0.625, 0.21, 0.66), (60, 46, 34), 0.5, 0.012)
    canvas.ellipse((0.05, 0.49, 0.2, 0.65), (196, 84, 62))
    canvas.ellipse((0.08, 0.51, 0.13, 0.56), (236, 150, 124), 0.6, 0.01)
    canvas.line([(0.125, 0.505), (0.14, 0.45)], (88, 66, 42), 0.008)
    for x, y in ((0.36, 0.9), (0.4, 0.93), (0.62, 0.86), (0.25, 0.68), (0.72, 0.76)):
        canvas.ellipse((x, y, x + 0.012, y + 0.008), (134, 104, 70))
    _mug(canvas)
    return jpeg(vignette(grain(canvas.picture(), 0.05, 5), 0.3))


def _mug(canvas: Canvas) -> None:
    deep, blue, bright = (24, 74, 102), (38, 112, 148), (112, 182, 208)
    canvas.ellipse((0.3, 0.735, 0.8, 0.85), (60, 46, 34), 0.5, 0.014)
    canvas.ring((0.57, 0.43, 0.78, 0.7), deep, 0.044)
    canvas.ring((0.57, 0.425, 0.772, 0.69), blue, 0.04)
    canvas.rectangle((0.33, 0.36, 0.66, 0.72), blue)
    canvas.ellipse((0.33, 0.66, 0.66, 0.8), blue)
    canvas.rectangle((0.33, 0.36, 0.66, 0.74), blue)
    canvas.polygon([(0.56, 0.4), (0.66, 0.38), (0.66, 0.73), (0.6, 0.775), (0.52, 0.79)], deep, 0.65, 0.022)
    canvas.rectangle((0.365, 0.43, 0.4, 0.72), bright, 0.75, 0.011, 0.015)
    canvas.ellipse((0.33, 0.305, 0.66, 0.415), mix(blue, bright, 0.5))
    canvas.ellipse((0.345, 0.316, 0.645, 0.404), deep)
    canvas.ellipse((0.355, 0.335, 0.635, 0.402), (66, 40, 26))
    canvas.ellipse((0.38, 0.345, 0.5, 0.37), (128, 86, 58), 0.5, 0.006)
    canvas.polygon([(0.495, 0.5), (0.53, 0.545), (0.495, 0.62), (0.46, 0.545)], (244, 236, 218))
    for x, lean in ((0.45, 0.015), (0.53, -0.012)):
        canvas.line(
            [(x, 0.29), (x + lean, 0.24), (x - lean, 0.19), (x + lean, 0.13)],
            (255, 255, 255),
            0.012,
            0.35,
            0.008,
        )


def portrait(size: tuple[int, int] = (900, 1100)) -> bytes:
    """Draw a person who smiles into the camera, before a plain wall."""
    skin, shade, hair = (233, 188, 156), (206, 150, 118), (74, 46, 34)
    canvas = Canvas(gradient(size, ((190, 198, 194), (168, 178, 174))))
    canvas.ellipse((0.25, 0.11, 0.75, 0.62), hair)
    canvas.rectangle((0.25, 0.33, 0.75, 0.7), hair, radius=0.09)
    canvas.ellipse((0.08, 0.72, 0.92, 1.4), (62, 92, 112))
    canvas.rectangle((0.425, 0.58, 0.575, 0.78), shade, radius=0.05)
    canvas.pie((0.36, 0.66, 0.64, 0.86), 0, 180, shade)
    canvas.pie((0.37, 0.65, 0.63, 0.845), 0, 180, skin)
    canvas.polygon([(0.36, 0.745), (0.44, 0.73), (0.5, 0.86), (0.4, 0.9)], (82, 116, 136))
    canvas.polygon([(0.64, 0.745), (0.56, 0.73), (0.5, 0.86), (0.6, 0.9)], (82, 116, 136))
    for x in (0.3, 0.7):
        canvas.ellipse((x - 0.035, 0.39, x + 0.035, 0.475), shade)
    canvas.ellipse((0.31, 0.2, 0.69, 0.66), skin)
    canvas.ellipse((0.5, 0.26, 0.7, 0.64), shade, 0.35, 0.03)
    for x in (0.37, 0.63):
        canvas.ellipse((x - 0.045, 0.47, x + 0.045, 0.53), (232, 138, 122), 0.4, 0.014)
    for x in (0.415, 0.585):
        _eye(canvas, x)
    canvas.line([(0.5, 0.42), (0.487, 0.495), (0.51, 0.502)], shade, 0.008, 0.9)
    smile: list[Point] = [(0.43, 0.548), (0.455, 0.566), (0.5, 0.576), (0.545, 0.566), (0.57, 0.548)]
    canvas.polygon([*smile, (0.53, 0.588), (0.5, 0.593), (0.47, 0.588)], (196, 92, 88))
    canvas.line(smile, (142, 62, 58), 0.007)
    canvas.polygon(
        [(0.3, 0.36), (0.34, 0.2), (0.5, 0.14), (0.66, 0.2), (0.7, 0.37), (0.6, 0.26), (0.44, 0.25)], hair
    )
    canvas.line([(0.36, 0.22), (0.48, 0.165), (0.6, 0.18)], (120, 80, 58), 0.012, 0.5, 0.006)
    return jpeg(vignette(grain(canvas.picture(), 0.06, 9), 0.3))


def _eye(canvas: Canvas, x: float) -> None:
    canvas.ellipse((x - 0.04, 0.39, x + 0.04, 0.428), (252, 250, 246))
    canvas.ellipse((x - 0.019, 0.39, x + 0.019, 0.428), (92, 124, 104))
    canvas.ellipse((x - 0.011, 0.4, x + 0.011, 0.422), (24, 20, 20))
    canvas.ellipse((x + 0.002, 0.398, x + 0.011, 0.406), (255, 255, 255))
    canvas.line(
        [(x - 0.046, 0.405), (x - 0.02, 0.387), (x + 0.02, 0.386), (x + 0.046, 0.403)], (70, 46, 38), 0.007
    )
    canvas.line([(x - 0.05, 0.352), (x, 0.337), (x + 0.05, 0.35)], (84, 54, 40), 0.012)


def sample_photos() -> dict[str, bytes]:
    """Draw all of them, by file name. This takes about a second, so call it in a thread."""
    return {
        "empty-room.jpg": empty_room(),
        "old-photo.jpg": old_photo(),
        "product-mug.jpg": product(),
        "portrait.jpg": portrait(),
    }
