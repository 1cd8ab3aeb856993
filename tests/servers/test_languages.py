"""Each person reads their own language; a channel reads the server's."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.languages import Language
from bot.servers import settings
from bot.ui.reading.languages import Readers
from tests.support.resources import ResourcesWorld, erase


def readers_of(world: ResourcesWorld) -> Readers:
    """What the bot knows right after a start, in no server that Discord says anything of."""
    client: Any = SimpleNamespace(get_guild=dict[int, Any]().get)
    return Readers(client, lambda: world.resources)


@pytest.mark.promise
async def test_the_language_of_a_forgotten_member_is_not_stored_again(world: ResourcesWorld) -> None:
    readers = readers_of(world)
    readers.heard[7] = Language.FRENCH
    await readers.store()
    readers.heard[7] = Language.GERMAN  # pressing the button that erases
    readers.forget(7)
    await erase(world.resources, 7)
    readers.heard[7] = Language.GERMAN
    await readers.store()
    assert await world.resources.db.read(settings.language_of, 7) is None
