"""Draws the pictures that /help shows: what each tool makes of the sandbox's photos.

python -m sandbox.example_pictures
"""

import argparse
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from bot.ui import help as bot_help
from sandbox import photos
from sandbox.studii.render import render
from sandbox.studii.tools import parse_job

SIDE = 400  # pixels; Discord shows a thumbnail in a square
MAX_EXAMPLE_BYTES = 40_000  # bytes
SEED = 7
EXAMPLE_INPUTS: Mapping[str, tuple[Callable[[], bytes] | None, Mapping[str, str]]] = {
    "studio": (
        None,
        {"mode": "image", "source": "text", "prompt": "A quiet harbour at dawn", "aspect_ratio": "1:1"},
    ),
    "virtual-staging": (photos.empty_room, {"style": "scandinavian", "room": "living"}),
    "photo-restore": (photos.old_photo, {}),
    "product-background": (photos.product, {}),
    "career-photo": (photos.portrait, {}),
}


def example(slug: str) -> bytes:
    """Make one tool's picture: its output, with the photo that it started from on the left half."""
    photo, inputs = EXAMPLE_INPUTS[slug]
    before = photo() if photo is not None else None
    body: dict[str, object] = {"tool": slug, "inputs": dict(inputs)}
    if before is not None:
        body["source_object_key"] = "example"
    after = _square(render(parse_job(body), before, SEED, 1000).data)
    if before is not None:
        after.paste(_square(before).crop((0, 0, SIDE // 2, SIDE)), (0, 0))
        ImageDraw.Draw(after).line([(SIDE // 2, 0), (SIDE // 2, SIDE)], "white", 4)
    return _jpeg(after)


def main() -> None:
    """Write all of them to where the bot finds them."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for slug in EXAMPLE_INPUTS:
        Path(bot_help.__file__).with_name("examples").joinpath(f"{slug}.jpg").write_bytes(example(slug))


def _square(data: bytes) -> Image.Image:
    return ImageOps.fit(Image.open(io.BytesIO(data)).convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS)


def _jpeg(picture: Image.Image) -> bytes:
    for quality in range(85, 30, -5):
        held = io.BytesIO()
        picture.save(held, "JPEG", quality=quality, optimize=True)
        if held.tell() <= MAX_EXAMPLE_BYTES:
            return held.getvalue()
    raise ValueError("the picture has too much in it to be small")


if __name__ == "__main__":
    main()
