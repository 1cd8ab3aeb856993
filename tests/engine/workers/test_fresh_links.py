"""Full size asks Studii for an address that works now, and gives the last one where there is none."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import a_job, engine_world


@pytest.mark.promise
async def test_an_address_is_asked_for_anew_and_the_last_one_is_given_where_studii_says_none(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.running() as engine:
            done = (await world.announced(job.id)).job
            old = replace(done, output_url="https://files.example/old")
            assert await engine.fresh_link(old) == done.output_url
            assert await engine.fresh_link(replace(old, studii_id="0" * 32)) == old.output_url
            assert await engine.fresh_link(replace(old, studii_id=None)) == old.output_url
