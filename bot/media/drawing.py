"""Words and halves drawn onto pictures, in fonts that have the letters."""

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files

from PIL import Image, ImageDraw, ImageFont, ImageOps

_JAPANESE_SHARE = 0.94  # its characters are taller than letters of the same size
_BOLDER = 1 / 50  # a line of that width around them, as there is one weight of them
_NO_CHARACTER = "\uffff"  # Unicode has none here, so a font draws the box that stands for a missing one
_PROBE_PIXELS = 16


@dataclass(frozen=True, slots=True)
class FallbackFont:
    """The look of words: the size in pixels, and the weight. Characters that no font has are left out."""

    size: int
    weight: str = "Regular"

    def width(self, words: str) -> float:
        """Return how wide the words are."""
        known, font, _ = self._set(words)
        return font.getlength(known)

    def bounds(self, words: str) -> tuple[float, float, float, float]:
        """Return the box around the ink of words that begin at (0, 0), which is on their line."""
        known, font, stroke = self._set(words)
        return font.getbbox(known, stroke_width=stroke, anchor="ls")

    def write(
        self, pen: ImageDraw.ImageDraw, at: tuple[float, float], words: str, ink: str, anchor: str = "la"
    ) -> None:
        """Write the words. `anchor` says which point of them is `at`, as Pillow does (l, m, r; a, m, s)."""
        across, down = anchor
        # Of one font for all, so that words in two fonts beside each other have one line.
        ascent, descent = _font("latin", self.weight, self.size).getmetrics()
        line = at[1] + {"a": ascent, "m": (ascent - descent) / 2, "s": 0}[down]
        known, font, stroke = self._set(words)
        pen.text((at[0], line), known, ink, font, anchor=f"{across}s", stroke_width=stroke)

    def _set(self, words: str) -> tuple[str, ImageFont.FreeTypeFont, float]:
        """Return the words as they are written, their font, and the width of the line around them."""
        known = _known(words, "latin", "japanese")
        if all(_has("latin", one) for one in known):
            return known, _font("latin", self.weight, self.size), 0
        stroke = 0 if self.weight == "Regular" else self.size * _BOLDER
        font = _font("japanese", "", round(self.size * _JAPANESE_SHARE))
        return _known(known, "japanese"), font, stroke


def is_writable(character: str) -> bool:
    """Return whether a font has the character."""
    return _has("latin", character) or _has("japanese", character)


def _known(words: str, *scripts: str) -> str:
    """Return the characters that a font has, or what Unicode makes of them: of a thin space, a space."""
    written: list[str] = []
    for character in unicodedata.normalize("NFC", words):
        is_known = any(_has(one, character) for one in scripts)
        parts = character if is_known else unicodedata.normalize("NFKD", character)
        written += [part for part in parts if any(_has(one, part) for one in scripts)]
    return "".join(one for one in written if not unicodedata.combining(one))


@lru_cache(4096)
def _has(script: str, character: str) -> bool:
    return character != _NO_CHARACTER and _drawn(script, character) != _drawn(script, _NO_CHARACTER)


def _drawn(script: str, character: str) -> bytes:
    picture = Image.new("L", (2 * _PROBE_PIXELS, 2 * _PROBE_PIXELS))
    ImageDraw.Draw(picture).text((0, 0), character, "white", _font(script, "Regular", _PROBE_PIXELS))
    return picture.tobytes()


@cache
def _font(script: str, weight: str, size: int) -> ImageFont.FreeTypeFont:
    # The packages hold the files and a name for each; their own code is not needed.
    file = files("font_source_sans_pro") / "files" / f"SourceSansPro-{weight}.ttf"
    if script == "japanese":
        file = files("pylopdf_fonts_jp") / "NotoSansJP-Regular.otf"
    # By its path, so that it is mapped into memory, not copied. The other engine needs a library that slim
    # images lack; this one draws these alphabets alike everywhere.
    with as_file(file) as path:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


SPLIT_SIDE = 2048  # pixels of the longer side of a split picture
WIPE_STEPS, WIPE_MOVES, WIPE_RESTS = 14, 70, 1200  # of a picture that moves, and milliseconds
_LABELLED_SHARE = 0.3  # a smaller part of a picture has no room for its label
_MIN_LETTER_PIXELS = 14
_LETTER_SHARE = 28  # letters are this part of the picture's shorter side
_INK, _GROUND, _EDGE = "white", (0, 0, 0, 168), (255, 255, 255)


def draw_halves(
    before: Image.Image, after: Image.Image, labels: tuple[str, str], share: float = 0.5
) -> Image.Image:
    """Return one picture: the left `share` of `before`, and the rest of `after`, each with its label.

    Both are in RGB. `before` is cropped to the shape of `after`: pictures of one room are rarely cut alike.
    """
    middle, height = round(after.width * share), after.height
    made = after.copy()
    made.paste(ImageOps.fit(before, after.size).crop((0, 0, middle, height)), (0, 0))
    width = max(2, after.width // 400)
    ImageDraw.Draw(made).rectangle((middle - width, 0, middle + width - 1, height), fill=_EDGE)
    if share > _LABELLED_SHARE:
        _write(made, labels[0], right=False)
    if share < 1 - _LABELLED_SHARE:
        _write(made, labels[1], right=True)
    return made


def draw_wipe(
    before: Image.Image, after: Image.Image, labels: tuple[str, str]
) -> tuple[list[Image.Image], list[int]]:
    """Return pictures of an edge that moves from `before` to `after` and back, and how many milliseconds each
    stands."""
    before = ImageOps.fit(before, after.size)
    shares = [1 - step / WIPE_STEPS for step in range(WIPE_STEPS + 1)]
    shares += shares[-2:0:-1]
    lasts = [WIPE_RESTS if share in {0, 1} else WIPE_MOVES for share in shares]
    return [draw_halves(before, after, labels, share) for share in shares], lasts


def labelled(image: Image.Image, words: str, corner: str) -> Image.Image:
    """Return the picture, in RGB, with the words in the corner (see `bot.servers.settings.CORNERS`)."""
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
