"""What a photo tells of its place, time and camera goes; what shows it, and marks of AI, stay."""

import io
import operator
import struct
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageSequence
from PIL.JpegImagePlugin import JpegImageFile

from bot.media.metadata import BrokenStructure, strip_metadata
from tests.media.files import (
    AI,
    CAMERA,
    DAMAGES,
    ICC,
    ORIENTATION,
    SECRETS,
    XMP_HEAD,
    actions,
    app11,
    chunk,
    damaged,
    exif,
    jumbf,
    phone_jpeg,
    phone_png,
    phone_webp,
    pixels,
    plain_jpeg,
    plain_png,
    plain_webp,
    riff,
    segment,
    webp_chunk,
    webp_chunks,
    with_chunks,
    with_segments,
    xmp,
)

Maker = Callable[..., bytes]
PHONES = [phone_jpeg, phone_png, phone_webp]
Strip = Callable[[bytes], bytes]


def opened(data: bytes) -> Image.Image:
    """As the bot opens it: a JPEG is never taken for several pictures in one file."""
    file = io.BytesIO(data)
    return JpegImageFile(file) if data.startswith(b"\xff\xd8") else Image.open(file)


def shown(data: bytes) -> tuple[bytes, int, bytes | None]:
    """What is seen of a picture: its pixels, how it is turned, and in which colours."""
    with opened(data) as image:
        frames = b"".join(frame.tobytes() for frame in ImageSequence.Iterator(image))
        return frames, image.getexif().get(ORIENTATION, 1), image.info.get("icc_profile")


def assert_nothing_private(data: bytes) -> None:
    assert [secret for secret in SECRETS if secret in data] == []
    with Image.open(io.BytesIO(data)) as image:
        assert set(image.getexif()) <= {ORIENTATION}
        assert not image.getexif().get_ifd(0x8825)
        assert not image.info.keys() & {"comment", "photoshop", "mp", "parameters", "Comment"}


def cleaned(strip: Strip, photo: bytes) -> bytes:
    """The photo without what is private, which looks the same."""
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(photo)
    return stripped


@pytest.fixture
def strip(tmp_path: Path) -> Callable[[bytes], bytes]:
    def stripped(data: bytes) -> bytes:
        path = tmp_path / "photo"
        path.write_bytes(data)
        strip_metadata(path)
        assert [one.name for one in tmp_path.iterdir()] == ["photo"]
        return path.read_bytes()

    return stripped


JPEG_KINDS = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 2},
    {"subsampling": 0, "quality": 100},
]


@pytest.mark.parametrize("source", [None, AI])
@pytest.mark.parametrize("phone", PHONES)
def test_a_phones_photo_loses_what_is_private_and_looks_the_same(
    strip: Strip, phone: Maker, source: str | None
) -> None:
    photo = phone(source=source)
    assert any(secret in photo for secret in SECRETS)
    stripped = cleaned(strip, photo)
    assert shown(stripped)[1:] == (6, ICC)
    assert (AI.encode() in stripped) is (b"xmpmeta" in stripped) is (source is not None)
    assert strip(stripped) == stripped


@pytest.mark.promise
@pytest.mark.parametrize("options", JPEG_KINDS)
def test_the_coded_data_of_a_jpeg_is_the_same_byte_for_byte(strip: Strip, options: dict[str, object]) -> None:
    plain = plain_jpeg(pixels((300, 200)), **options)
    photo = with_segments(plain, segment(0xE1, exif()), segment(0xFE, b"SECRET-COMMENT"))
    stripped = strip(photo + b"SECRET-VIDEO")
    assert_nothing_private(stripped)
    assert stripped.endswith(plain[plain.index(b"\xff\xdb") :])  # everything from the first table on


@pytest.mark.promise
def test_the_coded_data_of_png_and_webp_is_the_same_byte_for_byte(strip: Strip) -> None:
    png, webp = plain_png(), plain_webp(lossless=True)
    assert strip(with_chunks(png, chunk(b"tEXt", b"Comment\0SECRET-COMMENT")) + b"SECRET-VIDEO") == png
    extended = riff(
        webp_chunk(b"VP8X", bytes((0x08, 0, 0, 0)) + (60).to_bytes(3, "little") + (46).to_bytes(3, "little")),
        webp[12:],
        webp_chunk(b"EXIF", exif(None)[6:]),
    )
    kept = dict(webp_chunks(strip(extended)))
    assert kept[b"VP8L"] == dict(webp_chunks(webp))[b"VP8L"]
    assert kept[b"VP8X"][0] == 0
    assert set(kept) == {b"VP8X", b"VP8L"}


@pytest.mark.promise
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("phone", PHONES)
def test_every_orientation_stays(strip: Strip, phone: Maker, orientation: int) -> None:
    with Image.open(io.BytesIO(strip(phone(orientation)))) as image:
        assert image.getexif().get(ORIENTATION, 1) == orientation


def exif_with(orientation: int, byte_order: str) -> bytes:
    data = Image.Exif()
    data.endian = byte_order
    data[ORIENTATION], data[0x010F] = orientation, "SECRET-MAKE"
    return segment(0xE1, b"Exif\0\0" + data.tobytes().removeprefix(b"Exif\0\0"))


ENTRY = struct.pack(">HHIHH", ORIENTATION, 3, 1, 3, 0)
TWICE = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + ENTRY + ENTRY[:8] + b"\0\6\0\0" + bytes(4)
UPRIGHT, ELSEWHERE = segment(0xE1, exif(1)), segment(0xE1, XMP_HEAD + xmp(orientation=3))
CMYK, GREY, RGB = plain_jpeg(pixels(mode="CMYK")), plain_jpeg(pixels(mode="L")), plain_jpeg()
ODD = {
    "little-endian": (with_segments(RGB, exif_with(8, "<")), 8),
    "big-endian": (with_segments(RGB, exif_with(8, ">")), 8),
    "turned twice, of which the first counts": (with_segments(RGB, exif_with(3, "<"), exif_with(6, ">")), 3),
    "turned twice in one directory": (with_segments(RGB, segment(0xE1, TWICE)), 3),
    "turned by XMP alone": (with_segments(RGB, ELSEWHERE), 3),
    "upright, whatever XMP says": (with_segments(RGB, UPRIGHT, ELSEWHERE), 1),
    "upright, whatever XMP said before": (with_segments(RGB, ELSEWHERE, UPRIGHT), 1),
    "inks": (with_segments(CMYK, segment(0xEE, b"Adobe\0\x64\0\0\0\0\x02SECRET-COMMENT"), UPRIGHT), 1),
    "grey": (with_segments(GREY, exif_with(3, "<")), 3),
    "a thumbnail in its JFIF header": (
        RGB[:2] + segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x04SECRET-THUMB") + RGB[20:],
        1,
    ),
    "a marker and an end in its thumbnail": (
        with_segments(RGB, segment(0xE1, exif() + b"\xff\xd9\xff\xda\0\x02SECRET-THUMB\xff\xd9")),
        6,
    ),
    "a WebP whose second data alone turn it": (
        riff(
            *(webp_chunk(*one) for one in webp_chunks(phone_webp(None)[:-12])),
            webp_chunk(b"EXIF", exif()[6:]),
        ),
        1,
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_photos_lose_what_is_private_and_look_the_same(strip: Strip, kind: str) -> None:
    photo, turned = ODD[kind]
    assert shown(cleaned(strip, photo))[1] == turned


@pytest.mark.parametrize("filler", [b"", b"\xff", b"\xff\x00", b"\xff\xd0", b"\x00\xff\xd0", b"\x00" * 70])
@pytest.mark.parametrize("plain", [plain_jpeg, plain_png, plain_webp])
def test_a_photo_without_metadata_stays_as_it_is_and_stray_bytes_cost_little(
    strip: Strip, plain: Maker, filler: bytes
) -> None:
    photo = plain(icc_profile=ICC)
    there = filler * 50_000 if plain is plain_jpeg else b""
    assert strip(photo[:20] + there + photo[20:]) == photo


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_a_moving_picture_still_moves(strip: Strip, image_format: str) -> None:
    buffer = io.BytesIO()
    frames = [pixels((40, 30)) for _ in range(3)]
    frames[0].save(buffer, image_format, save_all=True, append_images=frames[1:], duration=90, exif=exif())
    with Image.open(io.BytesIO(cleaned(strip, buffer.getvalue()))) as image:
        assert getattr(image, "n_frames", 1) == 3


def test_a_frame_of_a_moving_picture_loses_what_it_carries(strip: Strip) -> None:
    made = plain_webp(save_all=True, append_images=[pixels()], lossless=True)
    frames = [
        webp_chunk(name, data + webp_chunk(b"EXIF", b"SECRET-COMMENT") if name == b"ANMF" else data)
        for name, data in webp_chunks(made)
    ]
    assert cleaned(strip, riff(*frames)) == made


@pytest.mark.parametrize(
    "data",
    [
        phone_jpeg()[:200],
        plain_jpeg()[:-2],
        plain_jpeg()[:2] + b"\xff\xe1\x00\x01" + plain_jpeg()[2:],
        plain_png()[:-12],
        plain_png()[:60],
        plain_png()[:33] + b"\xff\xff\xff\xfftEXt" + plain_png()[33:],
        plain_webp()[:-4],
        riff(),
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 100_001 + plain_jpeg()[2:],
    ],
    ids=range(9),
)
def test_a_file_that_contradicts_itself_is_refused_and_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "photo"
    path.write_bytes(data)
    with pytest.raises(BrokenStructure):
        strip_metadata(path)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [data]


@pytest.mark.parametrize("data", [b"", b"GIF89a SECRET", b"%PDF-1.7", b"II*\0 SECRET"])
def test_files_of_other_kinds_are_not_touched(strip: Strip, data: bytes) -> None:
    assert strip(data) == data


def with_store(kind: str, store: bytes) -> bytes:
    """A photo with metadata and with the C2PA manifest store."""
    match kind:
        case "jpeg":
            return with_segments(phone_jpeg(), *app11(store))
        case "png":
            return with_chunks(phone_png(), chunk(b"caBX", store))
        case "webp":
            chunks = [webp_chunk(name, data) for name, data in webp_chunks(phone_webp()[:-12])]
            return riff(*chunks, webp_chunk(b"C2PA", store))
        case _:
            return riff(plain_webp()[12:], webp_chunk(b"C2PA", store))


@pytest.mark.promise
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "simple webp"])
def test_a_manifest_goes_and_its_mark_stays(strip: Strip, kind: str) -> None:
    photo = with_store(
        kind, jumbf(actions(AI), b"c2pa.thumbnail.claim.jpeg SECRET-THUMB stds.exif SECRET-GPS")
    )
    stripped = cleaned(strip, photo)
    assert b"c2pa" not in stripped
    with Image.open(io.BytesIO(stripped)) as image:
        assert f'"{AI}"' in str(image.info["xmp"])


def test_a_mark_in_a_manifest_in_several_segments_stays(strip: Strip) -> None:
    parts = app11(jumbf(b"x" * 59_900, actions(AI), b"x" * 50_000))
    assert all(AI.encode() not in part for part in parts)  # or the test could not fail
    assert AI.encode() + b'"' in strip(with_segments(phone_jpeg(), *parts))


def test_a_cameras_manifest_leaves_nothing_and_a_large_one_is_not_read(strip: Strip) -> None:
    for photo in (
        with_store("jpeg", jumbf(actions(CAMERA), b"SECRET-SERIAL")),
        with_store("png", jumbf(b"x" * 5_000_000, actions(AI))),
    ):
        stripped = strip(photo)
        assert_nothing_private(stripped)
        assert b"c2pa" not in stripped
        assert b"DigitalSourceType" not in stripped


@pytest.mark.promise
@pytest.mark.parametrize(
    "said",
    [
        f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{AI}"/>'.encode(),
        f"<rdf:Description Iptc4xmpExt:DigitalSourceType = '{AI}'/>".encode(),
        f"<Iptc4xmpExt:DigitalSourceType>\n {AI}\n</Iptc4xmpExt:DigitalSourceType>".encode(),
        f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{AI}"/>'.encode(),
        f"<Iptc4xmpExt:DigitalSourceType><rdf:Bag>\n<rdf:li>{AI}</rdf:li></rdf:Bag></Iptc4xmpExt:DigitalSourceType>".encode(),
        *(xmp(AI).decode().encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be")),
    ],
)
def test_the_mark_is_found_in_each_of_its_spellings(strip: Strip, said: bytes) -> None:
    stripped = strip(with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + said + b" SECRET-XMP")))
    assert_nothing_private(stripped)
    assert f'Iptc4xmpExt:DigitalSourceType="{AI}"'.encode() in stripped


@pytest.mark.promise
@pytest.mark.parametrize(
    "name",
    [
        "compositeWithTrainedAlgorithmicMedia",
        "algorithmicMedia",
        "compositeSynthetic",
        "algorithmicallyEnhanced",
    ],
)
def test_each_other_mark_of_ai_stays_as_it_is(strip: Strip, name: str) -> None:
    mark = AI.replace("trainedAlgorithmicMedia", name)
    assert f'DigitalSourceType="{mark}"'.encode() in strip(
        with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + xmp(mark)))
    )


def test_nothing_but_a_mark_passes_for_one(strip: Strip) -> None:
    for value in ("SECRET-XMP", "https://example.com/SECRET-XMP", f"{AI}?SECRET-XMP=1"):
        stripped = strip(with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + xmp(value))))
        assert_nothing_private(stripped)
        assert b"DigitalSourceType" not in stripped


SIZE = (40, 24)
PHOTOS = (
    phone_jpeg(image=pixels(SIZE), source=AI),
    phone_jpeg(image=pixels(SIZE), progressive=True),
    phone_jpeg(image=pixels(SIZE), restart_marker_blocks=1),
    with_segments(plain_jpeg(pixels(SIZE)), *app11(jumbf(actions(AI)), room=20)),
    phone_png(image=pixels(SIZE, "RGBA"), source=AI),
    phone_webp(image=pixels(SIZE), source=AI),
    phone_webp(image=pixels(SIZE), lossless=True),
)
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    struct.error,
    zlib.error,
    RuntimeError,
    Image.DecompressionBombError,
)


def seen(data: bytes) -> tuple[Any, int] | None:
    """What a decoder makes of it: how it looks, and how it is turned. None if it makes nothing of it."""
    try:
        image = opened(data)
        if image.width * image.height > 1_000_000:
            return None
        image.load()
        looks = image.size, image.tobytes(), image.info.get("icc_profile")
        return looks, image.getexif().get(ORIENTATION, 1)
    except UNREADABLE:
        return None


# What is no photo of these kinds at all is stripped as little.
NONSENSE = st.builds(
    operator.add, st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBP"]), st.binary()
)


@settings(max_examples=200)
@given(st.builds(damaged, st.sampled_from(PHOTOS), DAMAGES) | NONSENSE)
def test_a_damaged_photo_is_refused_or_looks_the_same(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = seen(data)
        path = Path(folder) / "photo"
        path.write_bytes(data)
        try:
            strip_metadata(path)
        except BrokenStructure:
            assert path.read_bytes() == data
            return
        after = seen(path.read_bytes())
        if before is not None:
            assert after is not None
            assert after[0] == before[0]
            if exif()[6:] in data:  # decoders differ in what they make of damaged Exif data
                assert after[1] == before[1]
