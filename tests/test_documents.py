"""The documents lead to what there is, and what people read keeps to the voice of docs/words.md, as far as a
program can tell.
"""

import ast
import pickle
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.config import Settings
from bot.languages import Language

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (ROOT, ROOT / "docs", ROOT / "changes")
    for path in folder.glob("*.md")
)
# Settings of others, which the documents name.
OTHERS = {
    *("STUDII_IMAGE", "BASE_IMAGE", "PYTHONPATH", "TEST_ONLY", "FUZZ_STEPS", "HOSTILE_EXAMPLES"),
    *("POSTGRES_PASSWORD", "MPLCONFIGDIR", "WARNING", "INFO", "SIGTERM", "EX_SOFTWARE", "GUILD_CREATE"),
}
# Babel's own file: of what Babel has in memory, the bot keeps only what it reads itself.
LANGUAGES = pickle.loads((files("babel") / "locale-data" / "en.dat").read_bytes())["languages"]  # noqa: S301


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def headings(text: str) -> set[str]:
    """Return the anchors of a document's headings."""
    lines = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.promise
@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_link_leads_to_a_file_and_a_heading_that_there_are(document: str) -> None:
    here = ROOT / document
    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        there = (here.parent / path).resolve() if path else here
        assert there.exists(), target
        assert not anchor or anchor in headings(there.read_text("utf-8")), target


@pytest.mark.parametrize("document", ["README.md", "docs/members.md"])
@pytest.mark.parametrize("language", Language)
def test_the_pages_that_list_the_languages_have_each(document: str, language: Language) -> None:
    name = LANGUAGES[language.value]
    assert re.search(rf"\b{name}\b", re.sub(r"\s+", " ", read(document)))


@pytest.mark.promise
def test_each_document_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached or document.suffix != ".md" or not document.exists():
            continue
        reached.add(document)
        links = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
        waiting += [(document.parent / link).resolve() for link in links if "://" not in link]
    told = {path.relative_to(ROOT).as_posix() for path in reached}
    assert {name for name in DOCUMENTS if name.startswith("docs/")} <= told


@pytest.mark.promise
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name.startswith(("docs/", "README"))])
def test_each_command_and_setting_that_is_named_exists(
    document: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = read(document)
    named = r"(?:-m bot|--rm studii) (run|doctor|invite|backup|restored?|forget-servers|rotate-keys|health)\b"
    commands = set(re.findall(named, text))
    if document == "docs/operators.md":
        table = set(re.findall(r"^\| `([a-z][a-z-]+)(?: FILE)?` \|", text, re.MULTILINE))
        assert len(table) == 9
        commands |= table
    for command in sorted(commands):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0, command
    capsys.readouterr()
    settings = set(re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)+)", text)) - OTHERS
    assert {name.lower() for name in settings} <= Settings.__dataclass_fields__.keys()


@pytest.mark.parametrize("document", ["docs/operators.md", "docs/members.md"])
def test_what_a_reader_looks_up_is_said_in_the_bots_own_words(document: str) -> None:
    cells = re.findall(r"^\|([^|]*)\|", read(document), re.MULTILINE)
    quoted = [words for cell in cells for words in re.findall(r'"([^"]+)"', cell)]
    assert quoted
    code = " ".join(path.read_text("utf-8") for path in (ROOT / "bot").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a sentence that is written in several lines
    discords_own = {"The application did not respond"}
    assert [words for words in quoted if words not in code and words not in discords_own] == []


@pytest.mark.promise
def test_the_buttons_that_are_named_are_so_called() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "bot" / "ui").rglob("*.py"))
    for document in ("docs/members.md", "docs/admins.md"):
        pressed = re.findall(r"press(?:es)? \*\*([^*]+)\*\*|or \*\*([^*]+)\*\*", read(document))
        assert [name for pair in pressed for name in pair if name and f'"{name}"' not in code] == []


CODE = ("bot", "cogs")
# Words that docs/words.md replaces. What people read says the everyday word instead.
AVOIDED = (
    r"anew\b|mend(?:s|ed)?\b|(?:un)?foresee|(?:un)?foresaw|(?:un)?foreseen",
    r"by (?:itself|themselves)\b",  # automatically; by yourself
    r"go(?:es|ing)? on\b|going at once|jobs? (?:is |are )?going",  # running, continues
    r"holds? (?:at once|in any case|for (?:every|all))",  # takes effect immediately; applies
    r"(?<!there )is no(?:ne)?\b(?! longer)",  # isn't a
    r"whoever|whatever|whomever",
    r"what (?:is going|is larger|waits|fails|comes|was (?:asked|made|there)|has been)\b",
    r"(?<!one )of this server\b",  # this server's
    r"stands? (?:for|in|there|beside)\b",
    r"one's\b",  # your own
    r"nobody",  # no one; unknown
    r"\bever\b",  # all time
    r"(?:set|put) aside",  # reserved
    r"in line\b",  # in the queue
    r"take(?:s|n)? out\b|take a backup back",  # remove; restore
    r"once more|look again",  # again; check again
    r"did not work out|got lost|may be lost",
    r"(?:is|are) told\b|\bhears?\b",
    r"as it is now|is there already",
    r"please try again",  # Try again
    r"at the moment\b",  # right now
)
_AVOIDED = re.compile("|".join(f"\\b(?:{words})" for words in AVOIDED), re.IGNORECASE)


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each sentence in a module's code, with its line; docstrings are not shown to anybody."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    skipped: set[int] = set()
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(piece) for piece in node.values)
    for node in nodes:
        text = _text(node) if id(node) not in skipped else None
        if text is not None and re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", text):
            yield getattr(node, "lineno", 0), text


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(one) or "{}" for one in node.values)
    return None


def sentences() -> Iterator[tuple[str, str]]:
    """Yield each sentence that people may read, with its place."""
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for line, text in literals(path):
                yield f"{path.relative_to(ROOT)}:{line}", text
    tools = tomllib.loads((ROOT / "bot/tools.toml").read_text("utf-8"))
    for slug, tool in tools.items():
        yield f"tools.toml, {slug}", tool["summary"]
        for one in tool.get("inputs", ()):
            yield f"tools.toml, {slug}, {one['name']}", one["description"]
    documents = (
        "PRIVACY",
        "TERMS",
        "members",
        "admins",
        "operators",
        "developers",
        "monitoring",
        "upgrading",
    )
    for name in (".env.example", "README.md", *(f"docs/{one}.md" for one in documents)):
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1):
            yield f"{name}:{number}", line


def avoided(text: str) -> list[str]:
    return [found[0] for found in _AVOIDED.finditer(text)]


def test_no_sentence_has_a_word_that_the_glossary_replaces() -> None:
    told = list(sentences())
    assert len(told) > 1000
    found = [f"{place}: “{word}” in {text!r}" for place, text in told for word in avoided(text)]
    assert found == []
