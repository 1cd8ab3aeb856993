"""A picture of which one sees how it stands, and its file of any kind."""

from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw

from tests.support.cheap.heic import save_heic


def scene(mode: str = "RGB") -> Image.Image:
    """Wider than high, with a red corner at the top left."""
    image = Image.new("RGB", (96, 64), "#88aacc")
    ImageDraw.Draw(image).rectangle((0, 0, 31, 31), fill="red")
    return image.convert(mode)


def save(path: Path, image_format: str, image: Image.Image | None = None, **options: Any) -> None:
    image = image or scene()
    if image_format == "HEIF":
        save_heic(path, image, quality=90, **options)
    else:
        image.save(path, image_format, **options)


def looks_like(path: Path, wanted: Image.Image) -> bool:
    with Image.open(path) as got:
        difference = ImageChops.difference(got.convert("RGB"), wanted.convert("RGB"))
    return got.size == wanted.size and max(difference.resize((6, 4)).tobytes()) < 25
