"""AV1: sequence headers and frames in a stream of OBUs. https://aomediacodec.github.io/av1-spec/av1-spec.pdf"""

from bot.media.decoder.structure.shared_by_readers import Bits, Broken, NotAPhoto

MAX_AV1_UNITS = 10_000
MAX_FRAMES = 16  # a still picture has one; layers and hidden references make a few
_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6


def sizes(content: bytes) -> list[tuple[int, int]]:
    """Return what all sequence headers declare as the largest frame."""
    found: list[tuple[int, int]] = []
    frames = at = units = 0
    while at < len(content):
        head, at = content[at], at + 1
        kind = head >> 3 & 15
        at += head >> 2 & 1
        length, at = _leb128(content, at) if head & 2 else (len(content) - at, at)
        units += 1
        frames += kind in {_FRAME_HEADER, _FRAME}
        if units > MAX_AV1_UNITS or frames > MAX_FRAMES:
            raise NotAPhoto
        if kind == _SEQUENCE_HEADER:
            found.append(_largest_frame(content[at : at + min(length, 200)]))
        at += length
    return found


def bytes_per_pixel(settings: bytes) -> float:
    """Return what the decoder's planes take, by the `av1C` box."""
    flags = settings[2] if len(settings) > 2 else 0
    samples = 1.0 if flags & 0x10 else 1.0 + 2.0 / ((1 + (flags >> 3 & 1)) * (1 + (flags >> 2 & 1)))
    return samples * (2 if flags & 0x40 else 1)


def _leb128(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = content[at + index]
        value |= (byte & 0x7F) << index * 7
        if not byte & 0x80:
            return value, at + index + 1
    raise Broken


def _largest_frame(content: bytes) -> tuple[int, int]:
    """Return the largest frame's size (5.5.1, up to max_frame_height_minus_1)."""
    bits = Bits(content)
    bits.take(4)  # seq_profile, still_picture
    if bits.take(1):  # reduced_still_picture_header
        bits.take(5)
    else:
        _operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(across) + 1, bits.take(down) + 1


def _operating_points(bits: Bits) -> None:
    delay = 0
    has_model = False
    if bits.take(1):  # timing_info_present_flag
        bits.take(64)
        if bits.take(1):  # equal_picture_interval
            bits.exponential()
        has_model = bool(bits.take(1))
        if has_model:
            delay = bits.take(5) + 1
            bits.take(42)
    has_initial_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:  # seq_level_idx
            bits.take(1)
        if has_model and bits.take(1):
            bits.take(2 * delay + 1)
        if has_initial_delay and bits.take(1):
            bits.take(4)
