"""What is kept of accepted jobs."""

from bot.jobs import queries
from tests.services.world import ServicesWorld


async def test_a_job_that_nobody_knows_is_none(world: ServicesWorld) -> None:
    assert await world.services.db.read(queries.get, "0" * 16) is None
