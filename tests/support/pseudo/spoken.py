"""Lets the bot speak the pseudo-language in a test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from simcord.http import router

from bot import languages
from bot.client import translation
from bot.languages import Language
from tests.support.pseudo.boundary import faults_of, faults_of_commands, in_english, lines_of
from tests.support.pseudo.letters import TRANSLATIONS, read, speaking_of_commands

# Tests in which English is spoken, and why.
IN_ENGLISH = {
    "test_an_admin_reads_what_another_has_changed_since_the_panel_was_opened": "compares what it has shown",
    "test_an_admin_adds_a_style_that_everyone_can_use": "hands a choice's name back, which the bot compares",
    "test_a_form_without_such_choices_names_the_price_in_its_title": "holds a title that has no more room",
    "test_a_style_that_the_catalogue_has_left_behind_says_so_and_starts_nothing": "shows an input's own name",
    "test_words_of_studii_hide_nothing": "shows a sentence that an earlier version kept, which is English",
    "test_a_restart_tells_nobody_twice_in_an_hour": "compares what was told, as the bot keeps it",
}

_commands: list[tuple[Any, list[str]]] = []  # what bots have registered, and what is wrong with it


# Long: what it puts in places of the bot's shares what was said and sent.
def speak_pseudo(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Iterator[str]]:
    """Word English in the pseudo-language until the test ends, and hand English on to the simulated Discord.

    What is returned says what was wrong with what was sent.
    """
    real_translations, real_dispatch = languages.translations_of, router.dispatch
    sent: list[tuple[str, Any]] = []
    spoken: set[Language] = set()
    wrong: list[str] = []

    def translated(language: Language) -> Any:
        spoken.add(language)
        return TRANSLATIONS if language is Language.ENGLISH else real_translations(language)

    def dispatch(backend: Any, method: str, path: str, **request: Any) -> Any:
        body: Any = request.get("json")
        if path.endswith("/commands"):
            wrong.extend(_measured(body))
            spoken.clear()  # they are in all languages, with English as it is
        else:
            sent.append((f"{method} {path}", body))
            request["json"] = in_english(body)
        for file in request.get("files") or ():
            file.description = in_english(file.description)
        return real_dispatch(backend, method, path, **request)

    def faults() -> Iterator[str]:
        in_other_languages = spoken > {Language.ENGLISH}
        handed_on: set[str] = set()
        yield from wrong
        for call, body in sent:
            # What the bot reads back from Discord, to send it again, is English there.
            for one in faults_of(body, lambda line: in_other_languages or line in handed_on):
                yield f"{call}: {one}"
            handed_on.update(read(line) for line in lines_of(body))

    monkeypatch.setattr(languages, "translations_of", translated)
    monkeypatch.setattr(translation, "speaking", speaking_of_commands)
    monkeypatch.setattr(router, "dispatch", dispatch)
    return faults


def _measured(payload: Any) -> list[str]:
    """Return what is wrong with the commands that a bot registers. Many bots register the very same."""
    for known, faults in _commands:
        if known is payload:
            return faults
    _commands.append((payload, list(faults_of_commands(payload or []))))
    return _commands[-1][1]
