"""Photos on their way to Studii: which are taken, and what they lose."""

import io
import warnings
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from sandbox.demo.people import Guest
from sandbox.discord.emulator.messages import Message
from tests.media.metadata.photos import SECRETS, phone_jpeg, phone_png, phone_webp, pixels
from tests.stories.world import ROOM, Town, failed, plain, town

CONVERTED = ("tiff", "gif", "bmp", "avif")
AS_THEY_ARE = {"jpeg": phone_jpeg, "png": phone_png, "webp": phone_webp}


async def restored(here: Town, who: Guest, name: str, data: bytes) -> tuple[bytes, Message]:
    """Let somebody have a photo restored; return what Studii got, and the result."""
    start = await who.command("photo-restore", image=(name, data, f"image/{name.split('.')[-1]}"))
    result = await who.result_after(start)
    got = list(here.studii.uploads.values())[-1].data
    assert got is not None
    return got, result


def opened(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a phone writes beside the pixels is made up
        return ImageOps.exif_transpose(Image.open(io.BytesIO(data)))


@pytest.mark.promise
async def test_a_photo_tells_neither_studii_nor_the_channel_where_when_and_with_what_it_was_taken(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        for kind, photo in AS_THEY_ARE.items():
            given = photo()
            got, result = await restored(here, here.maya, f"room.{kind}", given)
            seen = [got, *(file.data for file in result.files.values() if file.data is not None)]
            assert len(seen) == 3
            assert not [secret for secret in SECRETS for data in seen if secret in data]
            assert opened(got).size == opened(given).size
            assert opened(got).tobytes() == opened(given).tobytes()  # it is upright, and not encoded anew
        await here.nora.change("setup", "metadata")
        given = phone_png()
        kept, _ = await restored(here, here.maya, "room.png", given)
        assert kept == given


@pytest.mark.promise
async def test_other_kinds_are_converted_upright_and_what_is_no_whole_picture_is_refused_unpaid(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        turned = Image.Exif()
        turned[0x0112] = 6
        for kind in CONVERTED:
            file = io.BytesIO()
            pixels((96, 64)).save(file, kind, **({"exif": turned} if kind in {"tiff", "avif"} else {}))
            got, _ = await restored(here, here.maya, f"room.{kind}", file.getvalue())
            assert Image.open(io.BytesIO(got)).format in {"JPEG", "PNG"}
            assert opened(got).size == ((64, 96) if kind in {"tiff", "avif"} else (96, 64))
        made = len(here.studii.jobs)
        for name, data in (("half.jpg", ROOM[1][:-2000]), ("page.png", b"<html>" * 99)):
            start = await here.maya.command("photo-restore", image=(name, data, "image/jpeg"))
            assert "Not charged." in await failed(start)
        assert "isn't a picture" in plain(
            await here.maya.command("photo-restore", image=("x.jpg", b"%PDF", "application/pdf"))
        )
        assert len(here.studii.jobs) == made
        assert not here.told_apart()
