"""A sample of `make hostile`: hostile files through the whole bot, beside photos that nobody has to fear."""

import sys
from pathlib import Path

import pytest

from bench.held import MIB
from tests.hostile.bot import innocents, victim
from tests.hostile.files import files, scans

SAMPLE = (
    "JPEG, 7,000 scans",
    "AVIF, says 64×64",
    "WebP, a frame larger",
    "TIFF, one strip 60,000 times",
    "PNG, a colour profile",
    "GIF, a comment",
    "EPS",
)


@pytest.mark.skipif(sys.platform != "linux", reason="what processes hold is read from /proc")
async def test_hostile_files_are_refused_unpaid_and_the_photos_beside_them_are_taken(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    photos = innocents(600, 400)
    async with victim(tmp_path) as bot:
        for file in files():
            if not file.name.startswith(SAMPLE):
                continue
            with subtests.test(file.name):
                seen = await bot.meet(file, file.make(), photos)
                assert not seen.is_taken
                assert "picture" in seen.words or "photo" in seen.words
                assert seen.are_innocents_taken
                assert seen.decoders < 100 * MIB


def test_the_sample_is_of_files_that_there_are() -> None:
    names = [file.name for file in files()]
    assert all(any(name.startswith(start) for name in names) for start in SAMPLE)
    assert len(scans(7_000)) < 300_000
