"""Lets a process of the bot speak the pseudo-language to the sandbox's Discord, which hears English."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from bot import languages
from bot.client import translation
from bot.languages import Language
from sandbox.discord.emulator import DiscordServer
from tests.support.pseudo.boundary import faults_of, in_english, lines_of
from tests.support.pseudo.letters import TRANSLATIONS, speaking_of_commands

NAME = "TEST_PSEUDO"
_listening: "WeakKeyDictionary[DiscordServer, Listening]" = WeakKeyDictionary()


def speak(environment: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
    """Word English in the pseudo-language from now on, in a process that was started to do so."""
    if NAME not in environment:
        return
    real = languages.translations_of

    def translated(language: Language) -> Any:
        return TRANSLATIONS if language is Language.ENGLISH else real(language)

    patch.setattr(languages, "translations_of", translated)
    patch.setattr(translation, "speaking", speaking_of_commands)


@contextmanager
def listening(discord: DiscordServer) -> Generator[None]:
    """Look at the texts that processes send there until the block ends, and hand them on in English."""
    here = _listening.get(discord)
    if here is None:
        here = _listening[discord] = Listening(discord)
    yield
    found = list(dict.fromkeys(here.faults()))
    assert not found, "\n".join(found)


class Listening:
    """Looks at what a Discord of the sandbox is sent."""

    def __init__(self, discord: DiscordServer) -> None:
        self._sent: list[tuple[str, Any]] = []
        self._real = discord.cdn.read
        discord.cdn.read = self._read

    async def _read(self, request: Any) -> Any:
        payload, files = await self._real(request)
        self._sent.append((f"{request.method} {request.path}", payload))
        return in_english(payload), files

    def faults(self) -> Iterator[str]:
        """Yield what was wrong with what was sent."""
        handed_on: set[str] = set()
        for call, payload in self._sent:
            # What the bot reads back from Discord, to send it again, is English there.
            for one in faults_of(payload, lambda line: line in handed_on):
                yield f"{call}: {one}"
            handed_on.update(lines_of(in_english(payload)))
