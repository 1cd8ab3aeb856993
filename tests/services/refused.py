"""Why a job is not accepted, in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import Refused
from bot.jobs.models import SourcePhoto
from tests.services.world import ServicesWorld

CHANGE_BUDGET = "An admin can change the budget with `/studii budget`."


async def refusal(world: ServicesWorld, **changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        await world.accept(**changes)
    return str(caught.value)


def unix(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def photo(size: int) -> SourcePhoto:
    return SourcePhoto("https://cdn.discordapp.com/attachments/1/2/room.png", "room.png", "image/png", size)
