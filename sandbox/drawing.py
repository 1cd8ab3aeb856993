"""Drawing with Pillow: smooth shapes, gradients, shadows, light and grain, in fractions of the picture.

All positions and lengths are fractions: x and line widths of the width, y of the height.
"""

import random
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Protocol, cast

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
Shape = Callable[[ImageDraw.ImageDraw], None]

SMOOTHING = 2
"""Shapes are drawn this many times larger and scaled down."""


class _Pixels(Protocol):
    """The two methods whose types in Pillow name NumPy, which nothing here needs."""

    def resize(self, size: tuple[int, int], resample: int | None, box: Box | None) -> Image.Image: ...

    def point(self, lut: Sequence[int]) -> Image.Image: ...


def resized(
    picture: Image.Image,
    size: tuple[int, int],
    resample: Image.Resampling = Image.Resampling.BICUBIC,
    box: Box | None = None,
) -> Image.Image:
    """Return the picture, or the part in `box` (pixels), scaled to a size of at least one pixel."""
    size = (max(1, size[0]), max(1, size[1]))
    return cast("_Pixels", picture).resize(size, resample, box)


def toned(picture: Image.Image, curve: Callable[[int], float]) -> Image.Image:
    """Put each value of a grey picture through a curve, kept within 0 to 255."""
    table = [min(255, max(0, round(curve(value)))) for value in range(256)]
    return cast("_Pixels", picture).point(table)


def ramp(size: tuple[int, int], values: Sequence[int]) -> Image.Image:
    """Make a grey picture with values from top to bottom, evenly spaced: a mask."""
    return gradient(size, [(value, value, value) for value in values]).convert("L")


def hex_colour(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Mix two colours: `a` at 0, `b` at 1."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def gradient(size: tuple[int, int], colours: Sequence[Colour]) -> Image.Image:
    """Draw colours from top to bottom, evenly spaced."""
    strip = Image.new("RGB", (1, 256))
    last = len(colours) - 1
    for y in range(256):
        at = y / 255 * last
        index = min(int(at), last - 1)
        strip.putpixel((0, y), mix(colours[index], colours[index + 1], at - index))
    return resized(strip, size, Image.Resampling.BILINEAR)


def grain(picture: Image.Image, amount: float, seed: int) -> Image.Image:
    """Add film grain. `amount` is the share of noise; 0.03 is barely seen."""
    width, height = picture.size
    noise = Image.frombytes("L", (width, height), random.Random(seed).randbytes(width * height))  # noqa: S311
    soft = ImageChops.overlay(picture, Image.merge("RGB", (noise, noise, noise)))
    return Image.blend(picture, soft, amount)


def vignette(picture: Image.Image, strength: float) -> Image.Image:
    """Darken the corners, by a `strength` of 0 to 1."""
    mask = toned(resized(Image.radial_gradient("L"), picture.size), lambda v: max(0, v - 90) * strength * 1.4)
    return Image.composite(Image.new("RGB", picture.size, (12, 10, 16)), picture, mask)


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


class Canvas:
    """A picture to draw on."""

    def __init__(self, base: Image.Image) -> None:
        self.size = base.size
        self._large = resized(base.convert("RGB"), (base.width * SMOOTHING, base.height * SMOOTHING))

    def picture(self) -> Image.Image:
        return resized(self._large, self.size, Image.Resampling.LANCZOS)

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: float = 1, blur: float = 0) -> None:
        self._draw(lambda draw: draw.polygon([self._at(p) for p in points], fill=255), colour, alpha, blur)

    def ellipse(self, box: Box, colour: Colour, alpha: float = 1, blur: float = 0) -> None:
        self._draw(lambda draw: draw.ellipse(self._box(box), fill=255), colour, alpha, blur)

    def ring(self, box: Box, colour: Colour, width: float, alpha: float = 1, blur: float = 0) -> None:
        thick = max(1, round(width * self._large.width))
        self._draw(lambda draw: draw.ellipse(self._box(box), outline=255, width=thick), colour, alpha, blur)

    def rectangle(
        self, box: Box, colour: Colour, alpha: float = 1, blur: float = 0, radius: float = 0
    ) -> None:
        corner = radius * self._large.width
        self._draw(lambda draw: draw.rounded_rectangle(self._box(box), corner, fill=255), colour, alpha, blur)

    def line(
        self, points: Sequence[Point], colour: Colour, width: float, alpha: float = 1, blur: float = 0
    ) -> None:
        thick = max(1, round(width * self._large.width))
        self._draw(
            lambda draw: draw.line([self._at(p) for p in points], fill=255, width=thick, joint="curve"),
            colour,
            alpha,
            blur,
        )

    def pie(
        self, box: Box, start: float, end: float, colour: Colour, alpha: float = 1, blur: float = 0
    ) -> None:
        self._draw(lambda draw: draw.pieslice(self._box(box), start, end, fill=255), colour, alpha, blur)

    def glow(self, centre: Point, radius: float, colour: Colour, alpha: float) -> None:
        """Add a light that fades out. `radius` is a fraction of the width."""
        side = max(2, round(2 * radius * self._large.width))
        # Pillow's gradient is 255 in the corners and some 180 in the middle of each side.
        fade = toned(Image.radial_gradient("L"), lambda v: 255 * alpha * max(0.0, 1 - v / 178) ** 1.7)
        fade = resized(fade, (side, side))
        x, y = self._at(centre)
        self._large.paste(colour, (round(x - side / 2), round(y - side / 2)), fade)

    def paste(self, picture: Image.Image, box: Box, mask: Image.Image | None = None) -> None:
        """Paste another picture into a box, with an optional mask of any size."""
        x0, y0, x1, y1 = (round(v) for v in self._box(box))
        size = (max(1, x1 - x0), max(1, y1 - y0))
        self._large.paste(resized(picture, size), (x0, y0), resized(mask, size) if mask else None)

    def shade(self, colours: Sequence[Colour], box: Box, alpha: float, radius: float = 0) -> None:
        """Draw a vertical gradient in a (rounded) box."""
        x0, y0, x1, y1 = (round(v) for v in self._box(box))
        size = (max(1, x1 - x0), max(1, y1 - y0))
        mask = Image.new("L", size)
        corner = radius * self._large.width
        ImageDraw.Draw(mask).rounded_rectangle(
            (0, 0, size[0] - 1, size[1] - 1), corner, fill=round(alpha * 255)
        )
        self._large.paste(gradient(size, colours), (x0, y0), mask)

    def _draw(self, shape: Shape, colour: Colour, alpha: float, blur: float) -> None:
        mask = Image.new("L", self._large.size)
        shape(ImageDraw.Draw(mask))
        box = mask.getbbox()
        if box is None:
            return
        spread = round(blur * self._large.width * 3)
        box = (
            max(0, box[0] - spread),
            max(0, box[1] - spread),
            min(mask.width, box[2] + spread),
            min(mask.height, box[3] + spread),
        )
        mask = mask.crop(box)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self._large.width))
        if alpha < 1:
            mask = toned(mask, lambda v: v * alpha)
        self._large.paste(colour, box, mask)

    def _at(self, point: Point) -> Point:
        return point[0] * self._large.width, point[1] * self._large.height

    def _box(self, box: Box) -> Box:
        return (*self._at((box[0], box[1])), *self._at((box[2], box[3])))
