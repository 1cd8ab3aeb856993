"""Pictures that a library decodes by itself look as they do when Pillow opens them."""

from pathlib import Path
from typing import Any

import av
import pillow_heif
import pytest
from PIL import Image, ImageChops

from bot.media.convert import first_picture
from bot.media.decoder import channels, heic, libde265, libheif, operations, webp
from bot.media.decoder.native_pictures import NATIVE
from bot.media.decoder.operations import Refusal
from bot.media.decoder.structure import webp as structure_of_webp
from bot.media.kinds import PhotoKind
from tests.media.metadata.photos import ICC
from tests.support.cheap.heic import save_deep_heic, save_heic

SIZE = (201, 131)  # odd, and with more rows than are converted together
ORIENTATION = 0x0112
HEIF: Any = pillow_heif
VIDEO: Any = av


def colourful(mode: str = "RGBA", size: tuple[int, int] = SIZE) -> Image.Image:
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    half = Image.linear_gradient("L").rotate(180).resize(size)
    photo = Image.merge("RGBA", (across, down, Image.effect_noise(size, 80), half))
    return photo.convert(mode)


def opened(path: Path) -> Image.Image:
    """The picture as the decoder hands it on."""
    with path.open("rb") as file:
        kind = operations.sniff(file.read(operations.HEAD_BYTES))
        assert kind in NATIVE
        file.seek(0)
        return first_picture(NATIVE[kind](file).decoded())


def with_pillow(path: Path) -> Image.Image:
    HEIF.register_heif_opener()
    with Image.open(path) as image:
        image.load()
    return first_picture(image)


def assert_same(path: Path) -> None:
    got, wanted = opened(path), with_pillow(path)
    assert (got.mode, got.size) == (wanted.mode, wanted.size)
    assert ImageChops.difference(got, wanted).getbbox(alpha_only=False) is None
    for name in ("icc_profile", "xmp"):
        assert got.info.get(name) == wanted.info.get(name)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("extent", ["full", "limited"])
def test_avif(tmp_path: Path, mode: str, subsampling: str, extent: str) -> None:
    colourful(mode).save(tmp_path / "photo", "AVIF", subsampling=subsampling, range=extent, speed=10)
    assert_same(tmp_path / "photo")


@pytest.mark.parametrize("samples", ["yuv420p10le", "yuv444p10le", "yuv420p12le", "yuv444p12le"])
def test_avif_of_ten_and_twelve_bits(tmp_path: Path, samples: str) -> None:
    frame = VIDEO.VideoFrame.from_image(colourful("RGB", (300, 200))).reformat(format=samples)
    with VIDEO.open(str(tmp_path / "photo"), "w", format="avif") as container:
        stream = container.add_stream("libaom-av1", rate=1, options={"cpu-used": "8", "still-picture": "1"})
        stream.width, stream.height, stream.pix_fmt = 300, 200, samples
        container.mux([*stream.encode(frame), *stream.encode()])
    assert_same(tmp_path / "photo")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_that_is_turned_and_has_a_profile(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    colourful().save(tmp_path / "photo", "AVIF", exif=exif, icc_profile=b"profile", speed=10)
    assert_same(tmp_path / "photo")


def test_avif_whose_colours_are_multiplied_with_its_transparency(tmp_path: Path) -> None:
    colourful().save(tmp_path / "photo", "AVIF", alpha_premultiplied=True, speed=10)
    assert_same(tmp_path / "photo")


def test_avif_that_moves(tmp_path: Path) -> None:
    later = [Image.new("RGB", SIZE, "teal")]
    colourful("RGB").save(tmp_path / "photo", "AVIF", save_all=True, append_images=later, speed=10)
    assert_same(tmp_path / "photo")


def test_avif_in_tiles(tmp_path: Path) -> None:
    colourful("RGBA", (1301, 1197)).save(tmp_path / "photo", "AVIF", tile_rows=1, tile_cols=1, speed=10)
    assert_same(tmp_path / "photo")


def write_heic(path: Path, image: Image.Image, *, deep: bool = False, **options: Any) -> None:
    (save_deep_heic if deep else save_heic)(path, image, quality=90, **options)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("options", [{"chroma": 444}, {"chroma": 420}, {"chroma": 444, "tile_size": 128}])
def test_heic(tmp_path: Path, mode: str, options: dict[str, Any], *, deep: bool) -> None:
    if deep and mode == "L":
        pytest.skip("pillow-heif makes none")
    write_heic(tmp_path / "photo", colourful(mode), deep=deep, **options)
    assert_similar(tmp_path / "photo")


def nothing(*_: object) -> None:
    """Stand for a function that finds nothing."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("options", [{}, {"tile_size": 128}])
def test_heic_that_is_turned_and_has_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int, options: dict[str, Any]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    write_heic(tmp_path / "photo", colourful(), chroma=444, exif=exif.tobytes(), icc_profile=ICC, **options)
    assert_similar(tmp_path / "photo")
    got = opened(tmp_path / "photo")
    monkeypatch.setattr(heic, "turns", nothing)
    monkeypatch.setattr(heic, "single_items", nothing)
    libheifs = opened(tmp_path / "photo")  # turned by libheif, as if its parts were turned differently
    assert ImageChops.difference(libheifs, got).getbbox(alpha_only=False) is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("chroma", [420, 422, 444])
@pytest.mark.parametrize("are_colours_told", [False, True])
def test_heic_in_one_piece_is_the_same_without_libheif(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    chroma: int,
    *,
    deep: bool,
    are_colours_told: bool,
) -> None:
    if deep and mode == "L":
        pytest.skip("pillow-heif makes none")
    path = tmp_path / "photo"
    write_heic(path, colourful(mode), deep=deep, chroma=chroma)
    if not are_colours_told:  # the coded data has them as well
        data = path.read_bytes()
        assert b"colrnclx" in data
        path.write_bytes(data.replace(b"colrnclx", b"freenclx"))
    with monkeypatch.context() as patched:
        patched.setattr(libheif, "decoded_image", None)  # or the test could not fail
        got = opened(path)
    monkeypatch.setattr(libde265, "LIBDE265", None)
    assert ImageChops.difference(got, opened(path)).getbbox(alpha_only=False) is None


def test_heic_with_planes_that_do_not_match_is_left_to_libheif(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_heic(tmp_path / "photo", colourful())
    monkeypatch.setattr(channels, "_LAYOUTS", {})
    assert_same(tmp_path / "photo")


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("is_full", [0, 1])
@pytest.mark.parametrize("pieces", [{}, {"tile_size": 128}])
def test_heic_with_other_colours(tmp_path: Path, matrix: int, is_full: int, pieces: dict[str, int]) -> None:
    options: dict[str, Any] = {"matrix_coefficients": matrix, "full_range_flag": is_full, **pieces}
    write_heic(tmp_path / "photo", colourful("RGB"), chroma=444, **options)
    assert_similar(tmp_path / "photo")


def assert_similar(path: Path) -> None:
    """libheif and libavif round differently, and the first does not interpolate chroma."""
    got, wanted = opened(path), with_pillow(path)
    assert (got.mode, got.size) == (wanted.mode, wanted.size)
    assert got.info.get("icc_profile") == wanted.info.get("icc_profile")
    small = (got.width // 8, got.height // 8)
    for one, other in zip(got.split(), wanted.split(), strict=True):
        difference = ImageChops.difference(one.resize(small), other.resize(small))
        assert max(difference.tobytes()) <= 4


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp_still_and_moving(tmp_path: Path, mode: str, *, lossless: bool) -> None:
    photo = colourful(mode)
    photo.save(tmp_path / "still", "WEBP", lossless=lossless)
    assert_same(tmp_path / "still")
    later = [Image.new(mode, SIZE, "teal")]
    photo.save(tmp_path / "moving", "WEBP", save_all=True, append_images=later, lossless=lossless)
    assert_same(tmp_path / "moving")


@pytest.mark.parametrize("size", [(301, 197), (300, 198), (33, 5)])
def test_a_transparent_webp_of_many_pixels_is_decoded_in_halves_and_looks_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    asked: list[range] = []
    real = webp.decode_rows

    def decode_rows(content: Any, rows: range, **others: Any) -> bool:
        asked.append(rows)
        return real(content, rows, **others)

    monkeypatch.setattr(webp, "decode_rows", decode_rows)
    monkeypatch.setattr(structure_of_webp, "_MAX_WHOLE_PIXELS", 100)
    photo = colourful("RGBA", size)
    photo.save(tmp_path / "still", "WEBP")
    assert_same(tmp_path / "still")
    assert len(asked) == 2
    photo.save(tmp_path / "moving", "WEBP", save_all=True, append_images=[Image.new("RGBA", size, "teal")])
    assert_same(tmp_path / "moving")
    assert len(asked) == 4
    photo.save(tmp_path / "lossless", "WEBP", lossless=True)
    assert_same(tmp_path / "lossless")
    assert len(asked) == 4


@pytest.mark.parametrize("limit", [100, 1_000_000])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp_whose_first_frame_is_smaller_than_its_canvas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, *, lossless: bool
) -> None:
    monkeypatch.setattr(structure_of_webp, "_MAX_WHOLE_PIXELS", limit)
    inner = colourful("RGBA", (101, 57))
    inner.save(
        tmp_path / "inner", "WEBP", save_all=True, append_images=[inner.rotate(180)], lossless=lossless
    )
    data = bytearray((tmp_path / "inner").read_bytes())
    canvas, frame = data.index(b"VP8X") + 8, data.index(b"ANMF") + 8
    data[canvas + 4 : canvas + 10] = (300).to_bytes(3, "little") + (200).to_bytes(3, "little")
    data[frame : frame + 6] = (30).to_bytes(3, "little") + (20).to_bytes(3, "little")
    (tmp_path / "photo").write_bytes(data)
    assert_same(tmp_path / "photo")
    # A frame that leaves the canvas is none.
    data[frame : frame + 3] = (150).to_bytes(3, "little")
    (tmp_path / "photo").write_bytes(data)
    with pytest.raises(Refusal, match="broken"):
        operations.check(tmp_path / "photo", 1_000_000)


@pytest.mark.parametrize("kind", [PhotoKind.AVIF, PhotoKind.WEBP, PhotoKind.HEIC])
def test_where_the_library_is_not_found_pillow_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: PhotoKind
) -> None:
    if kind is PhotoKind.HEIC:
        write_heic(tmp_path / "photo", colourful())
    else:
        colourful().save(tmp_path / "photo", kind.name)
    monkeypatch.delitem(operations.NATIVE, kind)
    operations.check(tmp_path / "photo", 1_000_000)
    assert operations.fit(tmp_path / "photo", 100_000, 1_000_000)


def test_nothing_stays_in_the_folder(tmp_path: Path) -> None:
    colourful().save(tmp_path / "photo", "AVIF", speed=10)
    opened(tmp_path / "photo")
    assert list(tmp_path.iterdir()) == [tmp_path / "photo"]
