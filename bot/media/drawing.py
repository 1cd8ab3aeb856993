"""Draw on pictures: labels, and two pictures in one.

Everything here blocks and runs in the decoder's processes only.
"""

from PIL import Image, ImageDraw, ImageOps

from bot.media.fonts import FallbackFont

SPLIT_SIDE = 2048  # pixels of the longer side of a split picture
_MIN_LETTER_PIXELS = 14
_LETTER_SHARE = 28  # letters are this part of the picture's shorter side
_INK, _GROUND, _EDGE = "white", (0, 0, 0, 168), (255, 255, 255)


def draw_halves(before: Image.Image, after: Image.Image, labels: tuple[str, str]) -> Image.Image:
    """Return one picture: the left half of `before`, and the right half of `after`, each with its label.

    Both are in RGB. `before` is cropped to the shape of `after`: pictures of one room are rarely cut alike.
    """
    middle, height = after.width // 2, after.height
    made = after.copy()
    made.paste(ImageOps.fit(before, after.size).crop((0, 0, middle, height)), (0, 0))
    width = max(2, after.width // 400)
    ImageDraw.Draw(made).rectangle((middle - width, 0, middle + width - 1, height), fill=_EDGE)
    _write(made, labels[0], right=False)
    _write(made, labels[1], right=True)
    return made


def labelled(image: Image.Image, words: str, corner: str) -> Image.Image:
    """Return the picture, in RGB, with the words in the corner (see `bot.features.posting.CORNERS`)."""
    top, _, side = corner.partition("-")
    _write(image, words, right=side == "right", top=top == "top")
    return image


def _write(image: Image.Image, words: str, *, right: bool, top: bool = False) -> None:
    """Write the words into a corner, on a dark ground that every picture shows them on."""
    letter = max(_MIN_LETTER_PIXELS, min(image.size) // _LETTER_SHARE)
    letters = FallbackFont(letter, "Semibold")
    pad = letter // 2
    room = max(1, image.width - 4 * pad)
    if letters.width(words) > room:
        letters = FallbackFont(max(1, int(letter * room / letters.width(words))), "Semibold")
    x0, y0, x1, y1 = letters.bounds(words)
    width, height = round(x1 - x0) + 2 * pad, round(y1 - y0) + 2 * pad
    left = image.width - width - pad if right else pad
    upper = pad if top else image.height - height - pad
    tag = Image.new("RGBA", (width, height), _GROUND)
    letters.write(ImageDraw.Draw(tag), (pad - x0, pad - y0), words, _INK, anchor="ls")
    image.paste(tag.convert("RGB"), (max(0, left), max(0, upper)), tag.getchannel("A"))
