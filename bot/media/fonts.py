"""Words on pictures: in Source Sans, and in Noto Sans JP for each character that only that one has."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

_JAPANESE_SHARE = 0.94  # its characters are taller than letters of the same size
_BOLDER = 1 / 50  # a line of that width around them, as there is one weight of them
_NO_CHARACTER = "\uffff"  # Unicode has none here, so a font draws the box that stands for a missing one
_PROBE_PIXELS = 16


@dataclass(frozen=True, slots=True)
class FallbackFont:
    """The look of words: the size in pixels, and the weight."""

    size: int
    weight: str = "Regular"

    def width(self, words: str) -> float:
        """Return how wide the words are."""
        return sum(run.width for run in self._runs(words))

    def bounds(self, words: str) -> tuple[float, float, float, float]:
        """Return the box around the ink of words that begin at (0, 0), which is on their line."""
        boxes: list[tuple[float, float, float, float]] = []
        left = 0.0
        for run in self._runs(words):
            x0, y0, x1, y1 = run.font.getbbox(run.words, stroke_width=run.stroke, anchor="ls")
            boxes.append((left + x0, y0, left + x1, y1))
            left += run.width
        lefts, uppers, rights, lowers = zip(*boxes, strict=True) if boxes else ((0.0,),) * 4
        return min(lefts), min(uppers), max(rights), max(lowers)

    def write(
        self, pen: ImageDraw.ImageDraw, at: tuple[float, float], words: str, ink: str, anchor: str = "la"
    ) -> None:
        """Write the words. `anchor` says which point of them is `at`, as Pillow does (l, m, r; a, m, s)."""
        across, down = anchor
        ascent, descent = _font("latin", self.weight, self.size).getmetrics()
        left = at[0] - self.width(words) * {"l": 0, "m": 0.5, "r": 1}[across]
        line = at[1] + {"a": ascent, "m": (ascent - descent) / 2, "s": 0}[down]
        for run in self._runs(words):
            pen.text((left, line), run.words, ink, run.font, anchor="ls", stroke_width=run.stroke)
            left += run.width

    def _runs(self, words: str) -> Iterator["_Run"]:
        """Return the words cut where the font changes. Characters that no font has are left out."""
        known = [(script_of(one), one) for one in map(_writable, unicodedata.normalize("NFC", words)) if one]
        for script, run in groupby(known, key=lambda one: one[0]):
            if script:
                size = round(self.size * _JAPANESE_SHARE) if script == "japanese" else self.size
                bold = script == "japanese" and self.weight != "Regular"
                font = _font(script, self.weight, size)
                yield _Run("".join(one for _, one in run), font, self.size * _BOLDER if bold else 0)


@dataclass(frozen=True, slots=True)
class _Run:
    words: str
    font: ImageFont.FreeTypeFont
    stroke: float

    @property
    def width(self) -> float:
        return self.font.getlength(self.words)


@lru_cache(4096)
def script_of(character: str) -> str | None:
    """Return which font has the character, or None."""
    if character == _NO_CHARACTER:
        return None
    for script in ("latin", "japanese"):
        if _drawn(script, character) != _drawn(script, _NO_CHARACTER):
            return script
    return None


def _writable(character: str) -> str:
    """Return the character, or what Unicode says it is like if no font has it: a thin space is a space."""
    if script_of(character):
        return character
    return "".join(one for one in unicodedata.normalize("NFKC", character) if script_of(one))


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
