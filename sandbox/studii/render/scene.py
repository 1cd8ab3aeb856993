"""The studio tool: a landscape that listens to the words of its prompt."""

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from sandbox.drawing import Canvas, Colour, Point, gradient, grain, hex_colour, mix, resized, toned, vignette


@dataclass(frozen=True)
class Mood:
    words: frozenset[str]
    sky: tuple[Colour, ...]
    light: Colour
    far: Colour
    near: Colour


def _mood(words: str, sky: str, light: str, far: str, near: str) -> Mood:
    colours = tuple(hex_colour(text) for text in sky.split())
    return Mood(frozenset(words.split()), colours, hex_colour(light), hex_colour(far), hex_colour(near))


MOODS = (
    _mood("dawn sunrise golden morning", "5b7fa6 b9b7c4 f4cfa4 ffe9c4", "fff3d0", "d9b9a4", "22352f"),
    _mood(
        "dusk sunset evening warm autumn fire", "3a2f5f 8a4f7d e07a5f f8c27a", "ffdf9e", "b86b77", "24182f"
    ),
    _mood(
        "night moon stars midnight dark space neon",
        "070b1f 14204a 2b3f78 5f74a8",
        "f2f4ff",
        "3d4f86",
        "060a18",
    ),
    _mood("snow winter ice cold arctic", "8fb3d1 bcd3e4 e3edf4 f8fbff", "ffffff", "c9dbe8", "3d566b"),
    _mood("desert dune sand canyon mars", "4f86a8 a9c4c4 f1d9ae f7c588", "fff4d6", "e2aa74", "7a3b23"),
    _mood(
        "forest pine jungle wood green spring misty mist",
        "6d97a3 a8c4bf dfe6c9 f6eccb",
        "fffbe0",
        "a3bfa9",
        "12332b",
    ),
    _mood(
        "sea ocean beach lake island summer day blue",
        "2f7fbf 6fb3dc b9dfea eef7ec",
        "fffdea",
        "8ab8c6",
        "15445a",
    ),
)
_TREES = ("forest", "pine", "tree", "wood", "jungle")
_WATER = ("sea", "ocean", "lake", "water", "beach", "river", "island", "harbor", "harbour")
_TOWN = ("city", "skyline", "street", "tokyo", "neon", "town", "tower")


def picture_size(aspect_ratio: str, long_side: int) -> tuple[int, int]:
    """Return width and height in even pixels for a ratio such as "16:9"."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    width = long_side if across >= down else long_side * across / down
    height = long_side if down >= across else long_side * down / across
    return max(2, round(width / 2) * 2), max(2, round(height / 2) * 2)


def pick_mood(prompt: str, rng: random.Random) -> Mood:
    """Pick the mood that most words of the prompt ask for, or any."""
    text = prompt.lower()
    scores = [sum(word in text for word in mood.words) for mood in MOODS]
    return MOODS[scores.index(max(scores))] if any(scores) else rng.choice(MOODS)


def scene(size: tuple[int, int], prompt: str, seed: int) -> Image.Image:
    """Draw a landscape for a prompt; the same for the same arguments."""
    rng = random.Random(f"{prompt}/{seed}")  # noqa: S311 - a picture, no secret
    text = prompt.lower()
    mood = pick_mood(prompt, rng)
    canvas = Canvas(gradient(size, (*mood.sky, mix(mood.sky[-1], mood.near, 0.25))))
    aspect = size[0] / size[1]
    sun = (rng.uniform(0.28, 0.72), rng.uniform(0.24, 0.4))
    if mood.near[0] < 10:
        _stars(canvas, rng)
    _sun(canvas, sun, mood, aspect)
    _clouds(canvas, rng, mood)
    water = any(word in text for word in _WATER)
    layers = 3 if water else 5
    for index in range(layers):
        depth = (index + 1) / 5
        top = 0.5 + 0.04 * index if water else 0.46 + 0.115 * index
        colour = mix(mood.far, mood.near, depth**1.25)
        ridge = _ridge(rng, top, 0.11 - 0.008 * index, 2.2 + index * 0.7)
        if any(word in text for word in _TOWN) and index >= layers - 3:
            _town(canvas, rng, ridge, colour, mood)
        canvas.polygon([(0, 1.01), *ridge, (1, 1.01)], colour)
        if any(word in text for word in _TREES) and index >= 1:
            _pines(canvas, rng, ridge, colour, 0.05 + 0.05 * index, aspect)
        canvas.rectangle((-0.1, top + 0.06, 1.1, top + 0.11), mood.sky[-1], 0.34 * (1 - depth * 0.8), 0.022)
    if water:
        _water(canvas, rng, mood, sun[0])
    else:
        _rays(canvas, sun, mood)
    _birds(canvas, rng, mood, aspect)
    return vignette(grain(canvas.picture(), 0.06, seed), 0.45)


def repaint(photo: Image.Image, size: tuple[int, int], prompt: str, seed: int) -> Image.Image:
    """Repaint a photo as a painting in the colours of the prompt's mood."""
    rng = random.Random(f"{prompt}/{seed}")  # noqa: S311 - a picture, no secret
    mood = pick_mood(prompt, rng)
    photo = ImageOps.fit(photo, size, Image.Resampling.LANCZOS)
    photo = photo.filter(ImageFilter.MedianFilter(5))
    small = resized(photo, (size[0] // 2, size[1] // 2)).filter(ImageFilter.ModeFilter(7))
    flat = resized(ImageOps.posterize(small.filter(ImageFilter.SMOOTH_MORE), 5), size)
    edges = ImageOps.invert(
        photo.convert("L").filter(ImageFilter.GaussianBlur(1.2)).filter(ImageFilter.FIND_EDGES)
    )
    ink = Image.merge("RGB", [toned(edges, lambda v: v * 1.05)] * 3)
    painted = ImageEnhance.Color(Image.blend(flat, ImageChops.multiply(flat, ink), 0.6)).enhance(1.35)
    tint = ImageChops.soft_light(painted, gradient(size, (*mood.sky, mood.near)))
    canvas = Canvas(Image.blend(painted, tint, 0.75))
    canvas.glow((0.75, 0.12), 0.6, mood.light, 0.5)
    return vignette(grain(canvas.picture(), 0.1, seed), 0.5)


def _ridge(rng: random.Random, top: float, height: float, waves: float) -> list[Point]:
    parts = [
        (height / (n + 1) ** 1.1, waves * (n + 1) * rng.uniform(0.8, 1.3), rng.uniform(0, 6.3))
        for n in range(5)
    ]
    return [
        (x / 160, top + sum(size * 0.6 * math.sin(x / 160 * speed + shift) for size, speed, shift in parts))
        for x in range(161)
    ]


def _sun(canvas: Canvas, sun: Point, mood: Mood, aspect: float) -> None:
    canvas.glow(sun, 0.55, mood.light, 0.55)
    canvas.glow(sun, 0.22, mood.light, 0.7)
    radius = 0.042
    canvas.ellipse(
        (sun[0] - radius, sun[1] - radius * aspect, sun[0] + radius, sun[1] + radius * aspect), mood.light
    )


def _rays(canvas: Canvas, sun: Point, mood: Mood) -> None:
    for lean in (-0.42, -0.16, 0.1, 0.38):
        foot = sun[0] + lean
        canvas.polygon([sun, (foot + 0.07, 1), (foot - 0.05, 1)], mood.light, 0.09, 0.012)


def _clouds(canvas: Canvas, rng: random.Random, mood: Mood) -> None:
    for _ in range(7):
        x, y, wide = rng.uniform(0, 1), rng.uniform(0.06, 0.34), rng.uniform(0.1, 0.28)
        canvas.ellipse(
            (x - wide, y - 0.012, x + wide, y + 0.018), mix(mood.light, mood.sky[-1], 0.4), 0.35, 0.012
        )


def _stars(canvas: Canvas, rng: random.Random) -> None:
    for _ in range(110):
        x, y, r = rng.random(), rng.random() * 0.55, rng.uniform(0.0006, 0.0018)
        canvas.ellipse((x - r, y - r, x + r, y + r), (255, 255, 255), rng.uniform(0.4, 1))


def _pines(
    canvas: Canvas, rng: random.Random, ridge: list[Point], colour: Colour, tall: float, aspect: float
) -> None:
    for x, y in ridge[:: max(2, round(tall * 22))]:
        height = tall * rng.uniform(0.65, 1.25)
        half = height * 0.2 / aspect
        at = x + rng.uniform(-0.012, 0.012)
        foot = y + 0.015
        outline = [(at, foot - height)]
        right: list[Point] = []
        for step in range(1, 5):
            down = foot - height + height * step / 4
            outline.append((at + half * step / 4, down))
            outline.append((at + half * (step / 4 - 0.14), down - height * 0.02))
            right.append((at - half * step / 4, down))
            right.append((at - half * (step / 4 - 0.14), down - height * 0.02))
        canvas.polygon([*outline, *reversed(right)], mix(colour, (0, 0, 0), 0.08))


def _town(canvas: Canvas, rng: random.Random, ridge: list[Point], colour: Colour, mood: Mood) -> None:
    x = 0.0
    while x < 1:
        wide, tall = rng.uniform(0.03, 0.065), rng.uniform(0.08, 0.3)
        top = ridge[min(160, round(x * 160))][1] - tall
        canvas.rectangle((x, top, x + wide, 1), mix(colour, mood.near, 0.3))
        for row in range(int(tall / 0.028)):
            for column in range(max(1, int(wide / 0.012))):
                if rng.random() < 0.4:
                    left, up = x + 0.004 + column * 0.012, top + 0.012 + row * 0.028
                    canvas.rectangle(
                        (left, up, left + 0.005, up + 0.011), (255, 214, 140), rng.uniform(0.4, 0.95)
                    )
        x += wide + rng.uniform(0, 0.012)


def _water(canvas: Canvas, rng: random.Random, mood: Mood, sun_x: float) -> None:
    canvas.shade((mood.sky[-1], mood.sky[1], mix(mood.sky[0], mood.near, 0.6)), (0, 0.66, 1, 1), 0.97)
    for _ in range(150):
        y = 0.665 + 0.335 * rng.random() ** 1.4
        near = (y - 0.66) / 0.34
        x = rng.gauss(sun_x, 0.04 + 0.1 * near)
        wide = rng.uniform(0.006, 0.03) * (0.4 + near)
        canvas.ellipse((x - wide, y, x + wide, y + 0.002 + 0.004 * near), mood.light, rng.uniform(0.25, 0.8))
    for _ in range(60):
        y = 0.67 + 0.33 * rng.random()
        x, wide = rng.random(), rng.uniform(0.03, 0.12)
        canvas.ellipse((x - wide, y, x + wide, y + 0.003), mood.near, 0.14, 0.001)


def _birds(canvas: Canvas, rng: random.Random, mood: Mood, aspect: float) -> None:
    x, y = rng.uniform(0.15, 0.8), rng.uniform(0.14, 0.24)
    for _ in range(5):
        at, up, s = x + rng.uniform(-0.08, 0.08), y + rng.uniform(-0.05, 0.05), rng.uniform(0.008, 0.014)
        wing = [(at - s, up - s * 0.5 * aspect), (at - s * 0.4, up - s * 0.55 * aspect), (at, up)]
        canvas.line(
            [*wing, (at + s * 0.4, up - s * 0.55 * aspect), (at + s, up - s * 0.5 * aspect)],
            mood.near,
            0.0016,
        )
