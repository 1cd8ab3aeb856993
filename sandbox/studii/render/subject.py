"""Finding what stands before a calm background, by flooding from the edges of the photo."""

from collections import deque

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.drawing import resized, toned

_SMALL = 300
_STEP = 15
"""Neighbours that differ by less (all channels together) are one surface, soft shadows included."""
_ALIKE = 40
"""What differs by less from the background of its row is background."""


def subject_mask(
    photo: Image.Image, centre: tuple[float, float], edge_height: float = 1.0
) -> Image.Image | None:
    """Find the subject: 255 where it is. None if no subject stands out.

    `centre` is a point of it. The edges above `edge_height` (a fraction) are taken for background.
    """
    small = photo.copy()
    small.thumbnail((_SMALL, _SMALL))
    small = small.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(0.5))
    width, height = small.size
    flooded = _flood(small, edge_height)
    opened = flooded.filter(ImageFilter.MinFilter(5)).filter(ImageFilter.MaxFilter(5))
    start = (round(centre[0] * width), round(centre[1] * height))
    if opened.getpixel(start) != 255:
        return None
    ImageDraw.floodfill(opened, start, 128)
    subject = toned(opened, lambda v: 255 if v == 128 else 0)
    # Opening rounds corners off: take back what the flood had left of them.
    subject = ImageChops.darker(subject.filter(ImageFilter.MaxFilter(3)), flooded)
    if not 0.04 < subject.histogram()[255] / (width * height) < 0.8:
        return None
    soft = resized(subject, photo.size)
    soft = soft.filter(ImageFilter.GaussianBlur(max(photo.size) / _SMALL * 1.3))
    return toned(soft, lambda v: (v - 120) * 4)


def _flood(small: Image.Image, edge_height: float) -> Image.Image:
    """Flood the background from the edges: 0 where it reaches, 255 elsewhere."""
    width, height = small.size
    data = small.tobytes()
    rows = max(1, round(height * edge_height))
    edge = [y * width + x for y in range(rows) for x in (0, width - 1)] + list(range(width))
    if rows == height:
        edge += range((height - 1) * width, height * width)
    mask = bytearray(b"\xff" * (width * height))
    waiting = deque(edge)
    for at in edge:
        mask[at] = 0
    while waiting:
        at = waiting.popleft()
        x = at % width
        for other, inside in (
            (at - 1, x > 0),
            (at + 1, x < width - 1),
            (at - width, True),
            (at + width, True),
        ):
            if inside and 0 <= other < len(mask) and mask[other] and _differ(data, at, other) < _STEP:
                mask[other] = 0
                waiting.append(other)
    _open_holes(data, mask, width)
    return Image.frombytes("L", (width, height), bytes(mask))


def _open_holes(data: bytes, mask: bytearray, width: int) -> None:
    """Add pixels to the background that have its colour in their row, even if nothing flooded them."""
    for row in range(0, len(mask), width):
        behind = [at * 3 for at in range(row, row + width) if not mask[at]]
        if not behind:
            continue
        red, green, blue = (sum(data[at + n] for at in behind) // len(behind) for n in range(3))
        for at in range(row, row + width):
            here = at * 3
            if abs(data[here] - red) + abs(data[here + 1] - green) + abs(data[here + 2] - blue) < _ALIKE:
                mask[at] = 0


def _differ(data: bytes, one: int, other: int) -> int:
    a, b = one * 3, other * 3
    return abs(data[a] - data[b]) + abs(data[a + 1] - data[b + 1]) + abs(data[a + 2] - data[b + 2])
