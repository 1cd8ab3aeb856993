"""The catalogues of translations: GNU gettext's files, loaded once for each language."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from sys import intern
from typing import Any

from bot.languages.language import Language

FOLDER = Path(__file__).with_name("catalogues")
DOMAIN = "studii"


class _Translations(GNUTranslations):
    """The translations of one language, whose English sentences all languages have in common."""

    _catalog: dict[object, str]

    def _parse(self, fp: Any) -> None:
        super()._parse(fp)
        self._catalog = {
            intern(key) if isinstance(key, str) else key: said for key, said in self._catalog.items()
        }


@cache
def translations_of(language: Language) -> NullTranslations:
    """Return the language's translations. English is what the code says, so it has none."""
    file = compiled_file(language)
    if language is Language.ENGLISH or not file.is_file():
        return NullTranslations()
    with file.open("rb") as stream:
        return _Translations(stream)


def compiled_file(language: Language) -> Path:
    """Return where the language's compiled catalogue is."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo"


def load_all() -> None:
    """Read all catalogues, so that no answer waits for the disk."""
    for language in Language:
        translations_of(language)
