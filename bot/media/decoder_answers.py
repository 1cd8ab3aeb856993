"""Parse the decoder's answers. They are untrusted: a hostile file may control the decoder.

`DecoderFailed` is raised for an answer that no decoder gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.media.kinds import PhotoKind
from bot.media.photo import DecoderFailed, Photo, PhotoRefused
from bot.reasons import Reason, ReasonCode

_TYPES = frozenset(kind.content_type for kind in PhotoKind if kind.is_accepted)


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
        """Return the number of pixels."""
        return self.width * self.height


def probe_result_of(answer: Mapping[str, Any]) -> ProbeResult:
    """Return the answer to `probe`."""
    width, height, memory = (_number(answer, name) for name in ("width", "height", "memory"))
    return ProbeResult(_kind(answer), width, height, memory, bool(answer.get("whole")))


def photo_of(answer: Mapping[str, Any]) -> Photo:
    """Return the answer to `inspect`."""
    content_type = answer.get("type")
    if content_type not in _TYPES:
        raise DecoderFailed
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
        return DecoderRefusal("structure", _refused(ReasonCode.PHOTO_BUILT_ODDLY, kind=kind.label))
    return broken(kind)


def broken(kind: PhotoKind) -> DecoderRefusal:
    """Return the refusal of a file that ends too early or contradicts itself."""
    return DecoderRefusal("broken", _refused(ReasonCode.PHOTO_BROKEN, kind=kind.label))


def too_large(look: ProbeResult, most: int) -> DecoderRefusal:
    """Return the refusal of a picture of more than `most` pixels."""
    size = {"width": look.width, "height": look.height, "most": most}
    return DecoderRefusal("pixels", _refused(ReasonCode.PHOTO_TOO_MANY_PIXELS, **size))


def _refused(code: ReasonCode, **arguments: str | int) -> PhotoRefused:
    return PhotoRefused(Reason(code, arguments))


def _kind(answer: Mapping[str, Any]) -> PhotoKind:
    try:
        return PhotoKind[str(answer.get("kind"))]
    except KeyError:
        raise DecoderFailed from None


def _number(answer: Mapping[str, Any], name: str) -> int:
    value = answer.get(name)
    if type(value) is not int or not 0 <= value < 1 << 50:
        raise DecoderFailed
    return value
