"""HEVC: the sizes in sequence parameter sets, and how many pictures there are. ITU-T H.265, 7.3."""

from collections.abc import Iterator

from bot.media.decoder.structure.shared_by_readers import Bits, Broken, NotAPhoto, unsigned

MAX_HEVC_UNITS = 20_000
MAX_PICTURES = 4  # an item holds one
_PARAMETERS = 33
_SLICES = range(32)
_START_CODE_PREVENTION = b"\x00\x00\x03"


def bytes_per_pixel(settings: bytes) -> float:
    """Return what the decoder's planes take, by the `hvcC` box."""
    layout, depth = (settings[16] & 3, settings[17] & 7) if len(settings) > 17 else (1, 0)
    return (1.0, 1.5, 2.0, 3.0)[layout] * (2 if depth else 1)


def sizes(settings: bytes, content: bytes) -> list[tuple[int, int]]:
    """Return the sizes in the `hvcC` box and in the item's own data."""
    if not settings:
        return []
    found = [size for unit in parameter_sets(settings) for size in _size(unit)]
    pictures = 0
    for number_before, (start, end) in enumerate(units(settings, content)):
        head = content[start : start + 3]
        is_slice = len(head) == 3 and head[0] >> 1 & 63 in _SLICES
        pictures += is_slice and head[2] >> 7  # first_slice_segment_in_pic_flag
        if pictures > MAX_PICTURES or number_before >= MAX_HEVC_UNITS:
            raise NotAPhoto
        found += _size(content[start : min(end, start + 1000)])
    return found


def parameter_sets(settings: bytes) -> Iterator[bytes]:
    """Return the units in the `hvcC` box, which the decoder needs first."""
    at = 23
    for _ in range(unsigned(settings, 22, 1)):
        count, at = unsigned(settings, at + 1, 2), at + 3
        for _ in range(count):
            length = unsigned(settings, at, 2)
            yield settings[at + 2 : at + 2 + length]
            at += 2 + length


def units(settings: bytes, content: bytes) -> Iterator[tuple[int, int]]:
    """Return where the units in an item's data start and end."""
    length_size = (settings[21] & 3) + 1
    at = 0
    while at + length_size < len(content):
        length = unsigned(content, at, length_size)
        at += length_size
        yield at, at + length
        at += length


def _size(unit: bytes) -> list[tuple[int, int]]:
    if len(unit) < 3 or unit[0] >> 1 & 63 != _PARAMETERS:
        return []
    bits = Bits(unit[2:].replace(_START_CODE_PREVENTION, b"\x00\x00"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 88 + 8)  # temporal nesting, the general profile and its level
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for has_profile, has_level in present:
        bits.take(88 * has_profile + 8 * has_level)
    bits.exponential()  # sps_seq_parameter_set_id
    if bits.exponential() == 3:  # chroma_format_idc
        bits.take(1)
    width, height = bits.exponential(), bits.exponential()
    if not width or not height:
        raise Broken
    return [(width, height)]
