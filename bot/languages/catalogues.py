"""The catalogues of translations: GNU gettext's files, loaded once for each language."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from bot.languages.language import Language

FOLDER = Path(__file__).with_name("catalogues")
DOMAIN = "studii"


@cache
def catalogue(language: Language) -> NullTranslations:
    """Return the language's translations. English is what the code says, so it has none."""
    file = compiled_file(language)
    if language is Language.ENGLISH or not file.is_file():
        return NullTranslations()
    with file.open("rb") as stream:
        return GNUTranslations(stream)


def compiled_file(language: Language) -> Path:
    """Return where the language's compiled catalogue is."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo"


def load_all() -> None:
    """Read all catalogues, so that no answer waits for the disk."""
    for language in Language:
        catalogue(language)
