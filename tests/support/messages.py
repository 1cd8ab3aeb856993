"""Gathers the sentences of the code in the catalogues (`make messages`), and sees that these are whole."""

import ast
import io
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.catalog import TITLE_CONTEXT, spaced
from bot.languages import FOLDER, Language
from tests.support.unmarked import unmarked

ROOT = Path(__file__).parents[2]
PROJECT = "Studii for Discord"
UNDATED = datetime(2026, 1, 1, tzinfo=UTC)  # each run would write another
TEMPLATE = FOLDER / "studii.pot"
# Which arguments of our functions are sentences, as Babel's `-k` says it: `c` is the context.
KEYWORDS = {
    "_": None,
    "N_": None,
    "lazy": None,
    "ngettext": (1, 2),
    "nlazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "plazy": ((1, "c"), 2),
}
_COMMAND = re.compile(r"`/([a-z -]+)`")
_PLACEHOLDER = re.compile(r"\{(\w*)[^{}]*\}")
_ROOM = re.compile(r"at most (\d+) characters")  # what a comment for translators says where room is short
_BLANK = re.compile(r"EMAIL@ADDRESS|LL@li\.org")
_COUNTS = {"count"}  # may be left out of a form, but not of the last
TRANSLATED = [one for one in Language if one is not Language.ENGLISH]


def from_python(
    file: IO[bytes], keywords: Sequence[str], comment_tags: Sequence[str], options: Any
) -> Iterator[Any]:
    """Yield the marked sentences of a module as Babel does, and those within f-strings, which it misses."""
    source = file.read()
    yield from extract_python(io.BytesIO(source), cast("Any", keywords), cast("Any", comment_tags), options)
    for text in ast.walk(ast.parse(source)):
        calls = ast.walk(text) if isinstance(text, ast.JoinedStr) else ()
        for call in calls:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in keywords:
                said = [one.value if isinstance(one, ast.Constant) else None for one in call.args]
                yield call.lineno, call.func.id, tuple(said), []


METHODS = cast("Any", [("**.py", from_python)])  # Babel takes functions, though its types name strings


def source_file(language: Language) -> Path:
    """Return the file that translators edit."""
    return FOLDER / language / "LC_MESSAGES" / "studii.po"


def extracted() -> Catalog:
    """Return all sentences of the code and of the shipped tools, by file and place."""
    catalog = Catalog(charset="utf-8")
    catalog.header_comment = "# The sentences of the bot. `make messages` writes this file."
    for folder in ("bot", "cogs"):
        found = extract_from_dir(
            ROOT / folder, METHODS, keywords=cast("Any", KEYWORDS), comment_tags=("Translators:",)
        )
        for name, line, message, comments, context in found:
            catalog.add(message, None, [(f"{folder}/{name}", line)], auto_comments=comments, context=context)
    for place, text, context in tool_texts():
        catalog.add(text, None, [("bot/tools.toml", 1)], auto_comments=[place], context=context)
    return catalog


def tool_texts() -> Iterator[tuple[str, str, str | None]]:
    """Yield each text of the shipped tools that people read, with what it is, and its context."""
    for slug, tool in tomllib.loads((ROOT / "bot/tools.toml").read_text("utf-8")).items():
        yield f"title of /{slug}", tool["title"], None
        yield f"description of /{slug}, at most 100 characters", tool["summary"], None
        for one in tool.get("inputs", ()):
            name = one["name"]
            yield f"description of /{slug} {name}, at most 100 characters", one["description"], None
            yield f"name of an input of /{slug}", one.get("title", spaced(name)), TITLE_CONTEXT
            for value in one.get("suggestions", ()):
                if any(map(str.isalpha, value)):  # not 16:9
                    yield f"value of {name} of /{slug}", one.get("shown_as", {}).get(value, value), name


def template() -> Catalog:
    """Return the sentences as they were extracted last, which takes a hundredth of the time."""
    return read(TEMPLATE)


def read(file: Path) -> Catalog:
    """Return a catalogue's file, empty if there is none."""
    if not file.is_file():
        return Catalog(locale=Locale.parse(file.parents[1].name), charset="utf-8")
    with file.open("rb") as stream:
        return read_po(stream, locale=None if file == TEMPLATE else file.parents[1].name)


def update() -> None:
    """Write the template, bring each language up to date with it, and compile what is translated."""
    found = extracted()
    FOLDER.mkdir(exist_ok=True)
    _write(TEMPLATE, found)
    for language in TRANSLATED:
        file = source_file(language)
        catalog = read(file)
        catalog.update(found, no_fuzzy_matching=True, keep_user_comments=True)
        catalog.obsolete.clear()
        catalog.header_comment = "# Edit the translations, then run `make messages`."
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, catalog)
        source_file(language).with_suffix(".mo").write_bytes(compiled(catalog))


def compiled(catalog: Catalog) -> bytes:
    """Return the catalogue as the bot reads it: without what only translators need, so that equal sentences
    give equal bytes."""
    slim = Catalog(locale=catalog.locale, charset="utf-8", creation_date=UNDATED, revision_date=UNDATED)
    # The plural's rule is the file's: Babel's for Portuguese writes "0 crédito".
    slim.mime_headers = [("Plural-Forms", catalog.plural_forms)]
    for one in catalog:
        if one.id and one.string and not one.fuzzy:
            slim.add(one.id, one.string, context=one.context)
    buffer = io.BytesIO()
    write_mo(buffer, slim)
    return buffer.getvalue()


def _write(file: Path, catalog: Catalog) -> None:
    """Write the catalogue without dates and line numbers, which would change with every edit of the code.

    Its header has no blanks of Babel's, and isn't marked fuzzy, which editors count as a sentence to finish.
    """
    catalog.fuzzy = False
    catalog.project, catalog.version = PROJECT.rsplit(maxsplit=1)
    for field in ("last_translator", "language_team", "msgid_bugs_address"):
        if _BLANK.search(getattr(catalog, field)):
            setattr(catalog, field, "")
    catalog.creation_date = catalog.revision_date = UNDATED
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=100, sort_by_file=True, include_lineno=False)
    file.write_bytes(buffer.getvalue())


def faults() -> list[str]:
    """Return all that is missing, unfinished or wrong in the catalogues, and each unmarked sentence."""
    found = extracted()
    wrong = [f"{place}: {text!r} is shown to people, but not marked" for place, text in unmarked(ROOT)]
    for language in TRANSLATED:
        wrong += [f"{language}: {one}" for one in _faults_of(language, found)]
    return wrong


def _faults_of(language: Language, found: Catalog) -> Iterator[str]:
    catalog = read(source_file(language))
    yield from catalogue_faults(catalog, found)
    file = source_file(language).with_suffix(".mo")
    if not file.is_file() or file.read_bytes() != compiled(catalog):
        yield "the compiled catalogue isn't up to date: run `make messages`"


def catalogue_faults(catalog: Catalog, found: Catalog) -> Iterator[str]:
    """Yield what is wrong with a language's catalogue, beside the sentences that were found."""
    for wanted in found:
        if wanted.id and catalog.get(_key(wanted), wanted.context) is None:
            yield f"{_key(wanted)!r} is missing: run `make messages`, and translate it"
    for one in catalog:
        if not one.id:
            continue
        if found.get(_key(one), one.context) is None:
            yield f"{_key(one)!r} is unused: run `make messages`"
        elif one.fuzzy:
            yield f"{_key(one)!r} is fuzzy"
        else:
            yield from message_faults(one)
            yield from _too_long(one, found)


def message_faults(one: Message) -> Iterator[str]:
    """Yield what is wrong with a translation."""
    originals, strings = _texts(one.id), _texts(one.string)
    if not strings or not all(strings):
        yield f"{originals[0]!r} isn't translated"
        return
    wanted = set(_PLACEHOLDER.findall(originals[-1]))
    for number, text in enumerate(strings, 1):
        may_lack: set[str] = _COUNTS if number < len(strings) else set()
        named = set(_PLACEHOLDER.findall(text))
        if named - wanted or wanted - named - may_lack:
            yield f"{originals[0]!r} has the placeholders {sorted(wanted)}, its translation {sorted(named)}"
        if set(_COMMAND.findall(text)) != set(_COMMAND.findall(originals[-1])):
            yield f"{originals[0]!r} names other commands than its translation {text!r}"


def _too_long(one: Message, found: Catalog) -> Iterator[str]:
    original = found.get(_key(one), one.context)
    most = original and most_characters(original)
    for text in _texts(one.string):
        if most and len(text) > most:
            yield f"{_key(one)!r} has {len(text)} characters in its translation, but room for {most}"


def most_characters(original: Message) -> int | None:
    """Return how many characters a translation may have at most, if a comment says so."""
    said = _ROOM.search(" ".join(original.auto_comments))
    return int(said[1]) if said else None


def _texts(text: str | Sequence[str | None] | None) -> list[str]:
    """Return the text and its plurals."""
    return [text] if isinstance(text, str) else [one or "" for one in text or ()]


def _key(one: Message) -> str:
    return one.id[0] if isinstance(one.id, list | tuple) else one.id


def main(arguments: list[str]) -> int:
    """Run `update`, `check`, or `unmarked FILE…`, which lists unmarked sentences of these files alone."""
    match arguments:
        case ["update"]:
            update()
        case ["check"]:
            if wrong := faults():
                print(*wrong, sep="\n")  # noqa: T201 - a program's result
                return 1
        case ["unmarked", *files]:
            for place, text in unmarked(ROOT):
                if not files or any(place.startswith(one) for one in files):
                    print(f"{place}: {text!r}")  # noqa: T201 - a program's result
        case _:
            print("Say update, check, or unmarked.")  # noqa: T201 - a program's result
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
