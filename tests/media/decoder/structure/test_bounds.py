"""Files that repeat what is costly to read are refused by their structure, and those that need it are not."""

import io
import mmap
import struct
from collections.abc import Callable
from functools import partial

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.media import sniff
from bot.media.decoder.structure import NotAPhoto, Structure, structure_of
from tests.hostile.files import many_exif, many_profiles, many_resources, many_tables, many_texts
from tests.support.cheap.heic import save_heic


def look(data: bytes) -> Structure:
    kind = sniff(data[:64])
    assert kind is not None
    with mmap.mmap(-1, len(data)) as mapped:
        mapped[:] = data
        return structure_of(kind, mapped)


def heic_whose_exif_is_read_again_and_again(times: int) -> bytes:
    """An item may consist of many places in the file, and all of them may be the same."""
    buffer = io.BytesIO()
    picture = Image.effect_noise((160, 96), 70).convert("RGB")
    save_heic(buffer, picture, quality=50, exif=b"Exif\x00\x00" + bytes(3_000))
    data = buffer.getvalue()
    at, meta = data.index(b"iloc"), data.index(b"meta")
    size = int.from_bytes(data[at - 4 : at])
    places = data[at + 4 : at - 4 + size]
    assert places[:6] == bytes(4) + b"\x44\x40"  # version 0; each number has four bytes
    count = int.from_bytes(places[6:8]) + 1
    entry = struct.pack(">HHIH", 900, 0, 0, times) + struct.pack(">II", 0, len(data)) * times
    places = places[:6] + count.to_bytes(2) + places[8:] + entry
    longer = (int.from_bytes(data[meta - 4 : meta]) + len(entry)).to_bytes(4)
    box = (size + len(entry)).to_bytes(4) + b"iloc" + places
    return data[: meta - 4] + longer + data[meta : at - 4] + box + data[at - 4 + size :]


@pytest.mark.parametrize(
    "make",
    [
        partial(many_profiles, 2),
        partial(many_profiles, 2, is_behind=True),
        partial(many_texts, 101),
        partial(many_exif, 101),
        partial(many_resources, 101),
        partial(many_tables, 2),
        partial(heic_whose_exif_is_read_again_and_again, 5),
    ],
)
def test_what_is_read_again_and_again_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(NotAPhoto):
        look(make())


@pytest.mark.parametrize(
    "make",
    [
        partial(many_profiles, 1),
        partial(many_profiles, 1, is_behind=True),
        partial(many_texts, 100),
        partial(many_exif, 100),
        partial(many_resources, 100),
        partial(many_tables, 1),
        partial(heic_whose_exif_is_read_again_and_again, 2),
    ],
)
def test_what_a_photo_may_have_is_taken(make: Callable[[], bytes]) -> None:
    assert look(make()).width in {64, 160}


@pytest.mark.parametrize(("zipped", "taken"), [(True, False), (False, True)])
def test_international_texts_count_only_if_they_are_deflated(*, zipped: bool, taken: bool) -> None:
    texts = PngInfo()
    for number in range(101):
        texts.add_itxt(f"key {number}", "text", zip=zipped)
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG", pnginfo=texts)
    if taken:
        look(buffer.getvalue())
    else:
        with pytest.raises(NotAPhoto):
            look(buffer.getvalue())
