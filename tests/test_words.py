"""What people read keeps to the voice of docs/words.md, as far as a program can tell."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.parsed import functions_of

ROOT = Path(__file__).parents[1]
CODE = ("bot", "cogs")
DOCUMENTED = (*CODE, "sandbox", "bench", "tests/support")
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
# How a function's docstring begins that says what something is, and not what the function does.
NO_VERBS = (
    r"the|an?|no|any|all|each|every\w*|another|one|once|only|both|half|many|more|some\w*|so|such",
    r"its?|they|there|this|that|these|those|what\w*|whether|who\w*|when|where|which|why|how",
    r"if|as|at|by|for|from|in|like|not|of|on|or|out|since|to|under|until|while|with|within|without",
    r"after|before|between|none|nothing|nobody|never|always|empty|unknown",
    r"\w+(?<!s)s|\w{3,}ing|\w{2,}[^e]ed",  # items, returns; waiting; received: not pass, bring, feed
)
_NO_VERB = re.compile("|".join(NO_VERBS), re.IGNORECASE)
_RIDDLE = re.compile(r"; (?:None|True|False|whether|if none)\b|(?:^|[;.] )(?:None|True|False): ")
_RIDDLE_ANYWHERE = re.compile(r";\s(?:#\s)?(?:None|none): |\(None: ")
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


@pytest.mark.parametrize(
    "text",
    [
        "new jobs are refused; what is going goes on",
        "x.pdf is no picture",
        "It holds at once.",
        "Whoever hosts the bot can raise it.",
        "8 credits set aside",
        "one's own photos only",
        "Please try again in a moment.",
    ],
)
def test_the_words_that_are_avoided_are_found(text: str) -> None:
    assert avoided(text)


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


def test_a_permission_in_ordinary_letters_is_found() -> None:
    text = "Members with Manage Server can, and **Send Messages in Threads** is there; *Attach Files* isn't."
    assert not_bold(text) == ["Manage Server", "Attach Files"]


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield each function's docstring, with its place. Properties say what they are, and are left out."""
    for folder in DOCUMENTED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in functions_of(ast.parse(path.read_text("utf-8"))):
                if not _is_property(node):
                    yield f"{path.relative_to(ROOT)}:{node.name}", ast.get_docstring(node) or "Pass."


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(one) for one in node.decorator_list)


def fault_of(docstring: str) -> str | None:
    text = " ".join(docstring.split())
    first = text.split()[0].rstrip(",.:;")
    if not first.isalpha() or _NO_VERB.fullmatch(first):
        return f"“{first}” is no verb: say what the function does, as in “Return …”"
    if found := _RIDDLE.search(text):
        return f"“{found[0].strip()}” is a riddle: write “or None if …”"
    return None


def test_docstrings_of_functions_say_what_they_do() -> None:
    told = list(docstrings())
    assert len(told) > 1000
    assert [f"{place}: {fault}" for place, text in told if (fault := fault_of(text))] == []


def test_comments_and_docstrings_are_no_riddles() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {riddle[0]}"
        for folder in DOCUMENTED
        for path in sorted((ROOT / folder).rglob("*.py"))
        for riddle in _RIDDLE_ANYWHERE.finditer(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["The key (None: any).", "of the result; None: it needs none", "roles; none: all"]
)
def test_riddles_are_found(text: str) -> None:
    assert _RIDDLE_ANYWHERE.search(f'"""Set them; {text}"""')


@pytest.mark.parametrize(
    "text",
    [
        "The job's name.",
        "Whether it runs.",
        "`8 credits`, `about 8 credits`.",
        "Seconds to the first answer.",
        "Returns the job.",
        "Waiting → received.",
        "Received → waiting.",
        "Return the job; None: nobody knows it.",
        "Return the job; None if it is unknown.",
        "Print the table; whether the bot could start.",
    ],
)
def test_docstrings_that_do_not_are_found(text: str) -> None:
    assert fault_of(text) is not None


@pytest.mark.parametrize(
    "text", ["Return the job, or None if it is unknown.", "Bring it.", "Pass it.", "Feed it."]
)
def test_docstrings_that_do_are_passed(text: str) -> None:
    assert fault_of(text) is None
