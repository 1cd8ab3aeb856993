"""Several photos at once, over a kill."""

from pathlib import Path

import pytest

from sandbox.demo.people import until
from sandbox.photos import empty_room
from sandbox.studii import Outcome
from tests.stories.world import Town, plain, town

PHOTOS = [(f"room{number}.jpg", empty_room((160 + number, 120)), "image/jpeg") for number in range(4)]


def pictures(here: Town) -> list[str]:
    return [file.sha256 for one in here.pictures() for file in one.files.values()]


@pytest.mark.promise
async def test_a_sets_results_come_together_or_two_minutes_after_the_first_also_over_a_kill(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        here.studii.next_job(Outcome())
        here.studii.next_job(Outcome(fails="Too dark."))
        here.studii.next_job(Outcome(never_ends=True), times=2)
        posted = here.maya.post("My rooms", *PHOTOS)
        form = await here.maya.menu("Photo restoration", posted)
        assert "All 4 · about 32 credits" in str(form)
        start = await here.maya.fill_in(form, {"image": ["first 4"]})
        await until(lambda: len(here.studii.jobs) == 4, "all jobs")
        await until(lambda: "1 done · 2 running · 1 failed" in plain(start), "two to end")
        assert not list(here.pictures())
        await here.restart(130)
        first = plain(await here.maya.result_after(start))
        assert "“Too dark”. Not charged." in first
        assert "Run the failed ones again" in first
        for job in here.studii.jobs.values():
            if job.outcome.never_ends:
                job.outcome = Outcome()
        await until(lambda: len(pictures(here)) == 6, "the rest")
        await here.restart()
        assert len(set(pictures(here))) == 6  # three photos, each beside what became of it
        assert await here.spent() == here.charged()
