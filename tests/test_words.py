"""What people read keeps to the voice of docs/words.md, as far as a program can tell."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
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


# Those that documents may name; Connect, Speak and the like are also ordinary words.
PERMISSIONS = (
    *("Manage Server", "Manage Messages", "Manage Roles", "Manage Channels", "Manage Threads"),
    *("View Channel", "Send Messages", "Send Messages in Threads", "Attach Files", "Embed Links"),
    *("Add Reactions", "Read Message History", "Create Public Threads", "Use External Emoji"),
)
_NAMED = re.compile(rf"(\*\*)?\b({'|'.join(sorted(PERMISSIONS, key=len, reverse=True))})\b(\*\*)?")


def not_bold(text: str) -> list[str]:
    """Return the permissions that a document names in ordinary letters."""
    return [found[2] for found in _NAMED.finditer(text) if not (found[1] and found[3])]


def test_documents_write_permissions_in_bold() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = {one.name: not_bold(one.read_text("utf-8")) for one in documents}
    assert {name: permissions for name, permissions in found.items() if permissions} == {}
