"""Photos on their way to Studii, emoji under them, photo channels, and files that the disk lost."""

import io
import shutil
import warnings
from io import BytesIO

import pytest
from PIL import Image, ImageOps

from sandbox.demo.people import Guest, text_of, until
from sandbox.demo.place import BOTS, PHOTO_DESK
from sandbox.discord.emulator.faults import Fault
from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import SEND, Overwrite
from sandbox.studii import faults
from tests.media.files import SECRETS, phone_jpeg, phone_png, phone_webp, pixels
from tests.stories.world import DAY, ROOM, Town, failed, plain

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
    here: Town,
) -> None:
    for kind, photo in AS_THEY_ARE.items():
        given = photo()
        got, result = await restored(here, here.maya, f"room.{kind}", given)
        seen = [got, *(file.data for file in result.files.values() if file.data is not None)]
        assert len(seen) == 3
        assert not [secret for secret in SECRETS for data in seen if secret in data]
        assert opened(got).size == opened(given).size
        assert opened(got).tobytes() == opened(given).tobytes()  # it is upright, and not encoded anew
    await here.nora.change("photos", "metadata")
    given = phone_png()
    kept, _ = await restored(here, here.maya, "room.png", given)
    assert kept == given


@pytest.mark.promise
async def test_other_kinds_are_converted_upright_and_what_is_no_whole_picture_is_refused_unpaid(
    here: Town,
) -> None:
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


SOFA = "🛋️"
BOT = "<@7001>"


@pytest.mark.promise
async def test_a_first_tap_asks_later_ones_run_and_one_that_is_taken_back_cancels(here: Town) -> None:
    photo = here.maya.post("My room", ROOM)
    here.tom.tap(photo, SOFA)  # reactions are off
    await here.nora.change("photos", "everywhere")
    here.tom.tap(photo, SOFA)
    here.tom.tap(photo, SOFA)
    question = await here.said(f"<@{here.tom.id}>", "costs about 8 credits. Start it?")
    assert not here.studii.jobs
    await here.restart()
    await here.tom.confirm(question)
    await here.tom.result_after(photo)
    assert question.id not in here.discord.messages
    second = here.maya.post("Another", ROOM)
    here.tom.tap(second, SOFA)
    await here.tom.result_after(second)
    here.studii.fail("upload", faults.rate_limited(60), times=9)
    third = here.maya.post("A third", ROOM)
    here.tom.tap(third, SOFA)
    await until(lambda: sum("is accepted" in line for line in here.log) == 3, "the job")
    await here.restart()
    here.tom.tap(third, SOFA)
    await until(lambda: any("is cancelled" in line for line in here.log), "the job to be cancelled")
    assert (len(here.studii.jobs), await here.spent()) == (2, here.charged())


@pytest.mark.promise
async def test_a_photo_channel_runs_its_tool_and_a_mention_offers_tools_to_its_author(here: Town) -> None:
    await here.nora.change("photos", "autos", channel=[str(PHOTO_DESK)], tool=["photo-restore"])
    photo = here.tom.post("My room", ROOM)
    result = await here.tom.result_after(photo)
    assert "Photo restoration" in plain(result)
    await here.nora.change("photos", "autos", str(PHOTO_DESK))
    mention = here.maya.post(f"{BOT} a lighthouse in the fog", ROOM)
    offer = await here.said("credits", "Virtual staging", "Photo restoration")
    assert "only" in plain(await here.tom.press(offer, "Photo restoration")).lower()
    await here.restart()
    await here.maya.press(offer, "Photo restoration")
    await here.maya.result_after(mention)
    here.maya.post(f"{BOT} another lighthouse")
    idle = await here.said("another lighthouse")
    await here.nora.change("photos", "everywhere")  # written after the offer
    await here.restart(11 * 60)
    await until(lambda: idle.id not in here.discord.messages, "the offer to go")
    assert len(here.studii.jobs) == 2


async def lose_the_disk(here: Town) -> None:
    """Kill the bot, and start it without its spool."""
    await here.kill()
    shutil.rmtree(here.folder / "data" / "spool")
    await here.start()


@pytest.mark.promise
async def test_a_photo_and_a_result_that_the_disk_lost_are_fetched_again(here: Town) -> None:
    posted = here.maya.post("My room", ROOM)
    here.studii.fail("upload", faults.rate_limited(3))
    await here.acts.menu(here.maya.id, posted.id, "Photo restoration")
    await until(lambda: here.studii.requests.count("upload"), "the upload to be refused")
    await lose_the_disk(here)
    await here.maya.result_after(posted)
    assert list(here.studii.uploads.values())[-1].data == ROOM[1]
    here.discord.fail("send", *[Fault(status=503)] * 30)
    start = await here.maya.command("studio", prompt="A red kite")
    await until(lambda: sum("succeeded" in line for line in here.log) == 2, "the result")
    here.discord.faults.clear()
    await lose_the_disk(here)
    result = await here.maya.result_after(start)
    made = await here.studii.output_of(list(here.studii.jobs)[-1])
    assert [file.data for file in result.files.values()] == [made.data]
    assert len(here.studii.jobs) == 2
    data = here.folder / "data"
    assert {(data / name).stat().st_mode & 0o77 for name in ("studii.db", "encryption.key", "spool")} == {0}


@pytest.mark.promise
async def test_a_result_that_can_not_be_posted_is_kept_in_jobs_for_a_month(here: Town) -> None:
    """It is posted with its photo before, once, and for nothing more."""
    held = faults.Held()
    here.studii.fail("create", held)
    start = await here.maya.command("virtual-staging", image=ROOM)
    here.discord.channels.dm_with(here.maya.id).closed = True
    overwrites = here.discord.places.channels[PHOTO_DESK].overwrites
    overwrites.append(Overwrite(BOTS, deny=SEND))
    held.release.set()
    await here.said("Get it with `/jobs` within 30 days.")
    overwrites.clear()
    await here.restart(29 * DAY)
    await here.maya.press(await here.maya.open_job(await here.maya.command("jobs")), "Post here")
    posted = await here.maya.result_after(start)
    after, before = posted.files.values()
    (job,) = here.studii.jobs.values()
    assert after.data == (await here.studii.output_of(job.id)).data
    assert Image.open(BytesIO(before.data or b"")).size == (320, 240)
    assert {"Edit", "Full size", "More…"} <= set(text_of(posted).splitlines())
    opened = await here.maya.open_job(await here.maya.command("jobs"))
    assert "Post here" not in text_of(opened)
    await here.maya.result_after(await here.maya.press(posted, "Run again"))
    assert (len(here.studii.jobs), len(list(here.pictures()))) == (2, 2)


@pytest.mark.promise
async def test_variations_of_a_photo_are_one_message_with_the_photo_once(here: Town) -> None:
    await here.nora.change("results", "compare", "wipe")
    start = await here.maya.command("virtual-staging", image=ROOM, variants=4)
    result = await here.maya.result_after(start)
    assert "your results are ready: 4 variations" in text_of(result)
    kinds = [name.partition("-")[0] for name in result.files]
    assert kinds.count("before") == 1
