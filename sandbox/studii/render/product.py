"""product-background: the thing in the middle, in a studio."""

import random

from PIL import Image, ImageFilter, ImageOps

from sandbox.drawing import Canvas, Colour, hex_colour, mix, resized, toned
from sandbox.studii.render.subject import subject_mask

_BACKDROPS = {
    "white": "f6f5f2 dcdad5",
    "marble": "ecebea cfcfd2",
    "dark": "3a3d46 15171c",
    "black": "34353a 0e0f12",
    "wood": "d8b48a 9a6b40",
    "nature": "cfe0c3 7fa27c",
    "beach": "cfe8ee e8d3a8",
    "pink": "f8d9d6 e4a5a4",
    "blue": "cfe0f2 7fa3cc",
    "studio": "f3dcc6 e0a98a",
}


def product_background(photo: Image.Image, text: str, seed: int) -> Image.Image:
    """Put the product before the backdrop that the text names, on a round stand with a soft shadow."""
    words = text.lower()
    named = [colours for name, colours in _BACKDROPS.items() if name in words]
    pick = random.Random(seed).choice(["f3dcc6 e0a98a", "d5e4e2 8fb5b2", "ece3f4 b7a3cf", "f7e7b8 e3b85f"])  # noqa: S311
    high, low = (hex_colour(colour) for colour in (named[0] if named else pick).split())
    canvas = Canvas(Image.new("RGB", photo.size, high))
    _backdrop(canvas, high, low, photo.width / photo.height)
    mask = subject_mask(photo, (0.5, 0.5))
    if mask is None:
        canvas.paste(photo, (0.16, 0.12, 0.84, 0.8), _oval(photo.size))
        return canvas.picture()
    box = mask.getbbox() or (0, 0, *photo.size)
    _stand(canvas, photo, mask, box)
    return canvas.picture()


def _backdrop(canvas: Canvas, high: Colour, low: Colour, aspect: float) -> None:
    canvas.shade((mix(high, (255, 255, 255), 0.35), high, low), (0, 0, 1, 0.74), 1)
    canvas.shade((mix(low, (255, 255, 255), 0.28), low, mix(low, (0, 0, 0), 0.12)), (0, 0.7, 1, 1.01), 1)
    canvas.rectangle((-0.1, 0.66, 1.1, 0.76), mix(low, (255, 255, 255), 0.14), 0.7, 0.03)
    canvas.ellipse((0.2, 0.1, 0.8, 0.1 + 0.6 * aspect), mix(high, (255, 255, 255), 0.55), 0.55)
    canvas.glow((0.28, 0.12), 0.55, (255, 255, 255), 0.5)
    stone = mix(high, (255, 255, 255), 0.5)
    canvas.ellipse((0.1, 0.86, 0.9, 1.0), mix(low, (0, 0, 0), 0.55), 0.4, 0.02)
    canvas.rectangle((0.14, 0.83, 0.86, 0.91), mix(stone, low, 0.5))
    canvas.ellipse((0.14, 0.84, 0.86, 0.98), mix(stone, low, 0.5))
    canvas.ellipse((0.14, 0.76, 0.86, 0.9), stone)


def _stand(canvas: Canvas, photo: Image.Image, mask: Image.Image, box: tuple[int, int, int, int]) -> None:
    """Set the product, scaled to fill the middle, on the stand; `box` is where it is in the photo."""
    width, height = photo.size
    across, down = (box[2] - box[0]) / width, (box[3] - box[1]) / height
    scale = min(0.54 / across, 0.6 / down)
    across, down = across * scale, down * scale
    left, foot = 0.5 - across / 2, 0.845
    target = (left, foot - down, left + across, foot)
    thing, shape = photo.crop(box), mask.crop(box)
    shape = shape.filter(ImageFilter.MinFilter(3))
    canvas.ellipse((left - 0.02, foot - 0.05, left + across + 0.05, foot + 0.03), (50, 34, 26), 0.5, 0.018)
    mirrored = ImageOps.flip(thing), toned(ImageOps.flip(shape), lambda v: v * 0.1)
    canvas.paste(mirrored[0], (left, foot - 0.01, left + across, foot - 0.01 + down * 0.16), mirrored[1])
    canvas.paste(thing, target, shape)


def _oval(size: tuple[int, int]) -> Image.Image:
    return toned(resized(Image.radial_gradient("L"), size), lambda v: (165 - v) * 6)
