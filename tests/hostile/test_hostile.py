"""Hostile files through the whole bot, beside photos that nobody has to fear.

With `HOSTILE_FILES=all`, as `make hostile` sets it, each of them beside two photos of 12 megapixels, within
the time and the memory that are promised; otherwise a sample.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image

from bench.machine.held import MIB, Held, decoders_of, held, watching
from bot.db import Database
from bot.jobs import queries
from bot.jobs.models import Job, JobState
from bot.ui.kit.reasons import reason_words
from sandbox.demo.place import GUILD
from tests.hostile.files import BLANK, MadeFile, files
from tests.media.files import saved
from tests.stories.world import Town, town
from tests.support.patience import PATIENCE, until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="what processes hold is read from /proc")
ALL = os.environ.get("HOSTILE_FILES") == "all"
SAMPLE = (
    *("JPEG, 7,000 scans", "HEIC, a grid", "WebP, a frame larger", "PNG, a colour profile", "EPS"),
    *("AVIF, says 64×64", "TIFF, one strip 60,000 times", "GIF, a comment"),
)
COSTLIEST = (
    *("PNG, 7900² of one colour", "WebP, 16383×2500 in 38 bytes", "TIFF, CMYK, 7900²"),
    "GIF, 100,000 frames",
)
INPUTS = {"style": "scandinavian", "room": "bedroom"}
PHOTO_SECONDS = 1.5 if ALL else PATIENCE  # for an innocent photo; short only on a machine of its own
STOP_SECONDS = 5.0 if ALL else PATIENCE
LATER = 60.0
OWN, TOGETHER, LEFT = 20 * MIB, 870 * MIB, 20 * MIB  # bytes
_OVER = JobState.FAILED, JobState.SUCCEEDED


def innocents(width: int, height: int) -> dict[str, bytes]:
    """Return photos of the kinds that are sent most."""
    room = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    jpeg = saved(room, "JPEG", quality=90, progressive=True)
    return {"photo.jpg": jpeg, "photo.png": saved(room, "PNG", compress_level=1)}


async def meet(here: Town, db: Database, sent: Mapping[str, bytes]) -> tuple[list[tuple[Job, float]], Held]:
    """Send these files at the same moment.

    Return for each its job, and the seconds until it was taken as a photo or refused; and the most that the
    bot's process and its decoders held meanwhile.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def jobs() -> list[Job]:
        assert here.process.returncode is None
        return await db.read(queries.page, GUILD, None, 0, 50)

    async def taken_or_refused(name: str) -> Job | None:
        found = [job for job in await jobs() if job.source is not None and name in job.source.url]
        return found[0] if found and found[0].state is not JobState.RECEIVED else None

    async def send(name: str, data: bytes) -> tuple[Job, float]:
        person = here.maya if name.endswith(("photo.jpg", "photo.png")) else here.tom
        kind = name.rpartition(".")[2].replace("jpg", "jpeg")
        asking = asyncio.create_task(
            person.command("virtual-staging", image=(name, data, f"image/{kind}"), **INPUTS)
        )
        job = await until(lambda: taken_or_refused(name), f"the end of the intake of {name}")
        seconds = loop.time() - began
        await asking
        return job, seconds

    async def all_over() -> bool:
        return all(job.state in _OVER for job in await jobs())

    with watching(here.process.pid) as most:
        seen = await asyncio.gather(*(send(name, data) for name, data in sent.items()))
    await until(all_over, "the end of all jobs")
    here.discord.cdn.forget()
    return seen, most


async def expect(
    here: Town, db: Database, group: Sequence[MadeFile], photos: Mapping[str, bytes], number: int, idle: Held
) -> None:
    """Send hostile files beside the photos, and ensure that they do no harm and become what they are."""
    made = [await asyncio.to_thread(one.make) for one in group]
    sent = {
        f"f{number}-{n}.{one.suffix}": data for n, (one, data) in enumerate(zip(group, made, strict=True))
    }
    seen, most = await meet(here, db, sent | {f"f{number}-{name}": data for name, data in photos.items()})
    for file, (job, _) in zip(group, seen, strict=False):
        is_taken = job.state is not JobState.FAILED
        words = reason_words(job.failure_text)
        assert is_taken is file.is_picture, (file.name, words)
        assert is_taken or (job.settled == 0 and ("picture" in words or "photo" in words)), words
    for job, seconds in seen[len(group) :]:
        assert job.state is not JobState.FAILED
        assert seconds < PHOTO_SECONDS
    assert most.own - idle.own < OWN
    assert most.together < TOGETHER


@pytest.mark.promise
@LINUX
async def test_hostile_files_are_refused_unpaid_and_the_photos_beside_them_are_taken(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    photos = innocents(4000, 3000) if ALL else innocents(600, 400)
    groups = [[one] for one in files() if ALL or one.name.startswith(SAMPLE)]
    assert len(groups) == (len(files()) if ALL else len(SAMPLE))
    groups += [[one for one in files() if one.name in COSTLIEST]] * ALL
    async with (
        town(tmp_path, LOG_LEVEL="ERROR") as here,
        Database.open(f"sqlite+aiosqlite:///{tmp_path}/data/studii.db") as db,
    ):
        await here.nora.command("studii budget", credits=100_000, period="day")
        for number in range(3 if ALL else 1):  # loads what is loaded when it is first used
            await expect(here, db, [BLANK], photos, number, Held(own=OWN * 99))
        await until(lambda: not ALL or len(decoders_of(here.process.pid)) < 2, "the spare decoders to end")
        idle = held(here.process.pid)
        for number, group in enumerate(groups, 3):
            with subtests.test(", ".join(one.name for one in group)):
                await expect(here, db, group, photos, number, idle)
        if ALL:
            await asyncio.sleep(LATER)
            assert held(here.process.pid).together - idle.together < LEFT
        async with asyncio.timeout(STOP_SECONDS):
            await here.stop()
        assert here.process.returncode == 0


@pytest.mark.promise
@LINUX
async def test_a_stop_ends_the_decoder_and_the_photo_is_opened_again_after_the_start(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        photo = ("photo.jpg", innocents(600, 400)["photo.jpg"], "image/jpeg")
        await here.maya.result_after(await here.maya.command("virtual-staging", image=photo, **INPUTS))
        decoders = decoders_of(here.process.pid)
        for one in decoders:
            os.kill(one, signal.SIGSTOP)
        await here.maya.command("photo-restore", image=photo)
        async with asyncio.timeout(STOP_SECONDS):
            await here.stop()
        assert decoders
        for one in decoders:
            with pytest.raises(ProcessLookupError):
                os.kill(one, 0)
        await here.start()
        await until(lambda: len(here.studii.jobs) == 2, "the job to be made")
