"""Lets the bot speak the pseudo-language in a test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from simcord.http import router

from bot.languages import Language, catalogues, messages
from tests.support.pseudo.boundary import faults_of, in_english, lines_of
from tests.support.pseudo.letters import PseudoTranslations, read

TRANSLATIONS = PseudoTranslations()
# Tests in which English is spoken, and why.
IN_ENGLISH = {
    "test_an_admin_adds_a_style_that_everyone_can_use": "hands a choice's name back, which the bot compares",
    "test_nothing_is_cut": "holds the lengths of commands in the languages that there are",
    "test_words_of_studii_hide_nothing": "shows a sentence that an earlier version kept, which is English",
    "test_a_restart_tells_nobody_twice_in_an_hour": "compares what was told, as the bot keeps it",
}

_commands: list[tuple[Any, Any]] = []  # what bots have registered, and that in English


def speak_pseudo(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Iterator[str]]:
    """Word English in the pseudo-language until the test ends, and hand English on to the simulated Discord.

    What is returned says what was wrong with what was sent.
    """
    real_catalogue, real_dispatch = catalogues.catalogue, router.dispatch
    sent: list[tuple[str, Any]] = []
    spoken: set[Language] = set()

    def catalogue(language: Language) -> Any:
        spoken.add(language)
        return TRANSLATIONS if language is Language.ENGLISH else real_catalogue(language)

    def dispatch(backend: Any, method: str, path: str, **request: Any) -> Any:
        body = request.get("json")
        if path.endswith("/commands"):
            spoken.clear()  # they are in all languages, with English as it is
            english = _commands_in_english(body)
        else:
            sent.append((f"{method} {path}", body))
            english = in_english(body)
        for file in request.get("files") or ():
            file.description = in_english(file.description)
        return real_dispatch(backend, method, path, **{**request, "json": english})

    def faults() -> Iterator[str]:
        in_other_languages = spoken > {Language.ENGLISH}
        handed_on: set[str] = set()
        for call, body in sent:
            # What the bot reads back from Discord, to send it again, is English there.
            for one in faults_of(body, lambda line: in_other_languages or line in handed_on):
                yield f"{call}: {one}"
            handed_on.update(read(line) for line in lines_of(body))

    monkeypatch.setattr(messages, "catalogue", catalogue)
    monkeypatch.setattr(router, "dispatch", dispatch)
    return faults


def _commands_in_english(payload: Any) -> Any:
    """Return commands in English. Many bots register the very same."""
    for known, english in _commands:
        if known is payload:
            return english
    _commands.append((payload, in_english(payload)))
    return _commands[-1][1]
