"""Parse the decoder's answers. They are untrusted: a hostile file may control the decoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.media.kinds import PhotoKind
from bot.media.photo import Photo, PhotoRefused

_TYPES = frozenset(kind.content_type for kind in PhotoKind if kind.is_accepted)


class InvalidAnswer(Exception):
    """The answer is not one that a decoder gives."""


class DecoderRefusal(Exception):
    """The file can't be used. `why` is `unknown`, `broken`, `structure` or `pixels`."""

    def __init__(self, why: str, photo: PhotoRefused) -> None:
        super().__init__(why)
        self.why = why
        self.photo = photo


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The facts in a file's structure. `memory` is the number of bytes that opening it takes."""

    kind: PhotoKind
    width: int
    height: int
    memory: int
    is_whole: bool

    @property
    def pixels(self) -> int:
        """The number of pixels."""
        return self.width * self.height


def probe_result_of(answer: Mapping[str, Any]) -> ProbeResult:
    """Return the answer to `probe`. Raises `InvalidAnswer`."""
    width, height, memory = (_number(answer, name) for name in ("width", "height", "memory"))
    return ProbeResult(_kind(answer), width, height, memory, bool(answer.get("whole")))


def photo_of(answer: Mapping[str, Any]) -> Photo:
    """Return the answer to `inspect`. Raises `InvalidAnswer`."""
    content_type = answer.get("type")
    if content_type not in _TYPES:
        raise InvalidAnswer
    return Photo(_kind(answer), str(content_type), _number(answer, "width"), _number(answer, "height"))


def refusal_of(answer: Mapping[str, Any]) -> DecoderRefusal | None:
    """Return the refusal, or None if the answer is none."""
    why = answer.get("refused")
    if why is None:
        return None
    if why == "unknown":
        return DecoderRefusal("unknown", PhotoRefused())
    kind = _kind(answer)
    if why == "structure":
        words = (
            f"That {kind.label} file is not built like a photo, so it was not opened. "
            "Please open it in a photo app, save it as a new JPEG, and use that."
        )
        return DecoderRefusal("structure", PhotoRefused(words))
    return broken(kind)


def broken(kind: PhotoKind) -> DecoderRefusal:
    """Return the refusal of a file that ends too early or contradicts itself."""
    words = f"That {kind.label} picture is broken or incomplete. Please send it again, or use another one."
    return DecoderRefusal("broken", PhotoRefused(words))


def too_large(look: ProbeResult, most: int) -> DecoderRefusal:
    """Return the refusal of a picture with more than `most` pixels."""
    words = (
        f"That picture has {look.width} × {look.height} pixels ({_megapixels(look.pixels)} megapixels). "
        f"At most {_megapixels(most)} megapixels are possible: please use a smaller one."
    )
    return DecoderRefusal("pixels", PhotoRefused(words))


def _kind(answer: Mapping[str, Any]) -> PhotoKind:
    try:
        return PhotoKind[str(answer.get("kind"))]
    except KeyError:
        raise InvalidAnswer from None


def _number(answer: Mapping[str, Any], name: str) -> int:
    value = answer.get(name)
    if type(value) is not int or not 0 <= value < 1 << 50:
        raise InvalidAnswer
    return value


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1_000_000:,.1f}".removesuffix(".0")
