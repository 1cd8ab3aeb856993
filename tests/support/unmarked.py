"""Finds sentences in the code that people see and that are not marked for translation."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Where what people in Discord see is worded. All else speaks to operators, in English.
PLACES = (
    "cogs",
    "bot/catalog.py",
    "bot/client/bot.py",
    "bot/delivery",
    "bot/errors.py",
    "bot/features",
    "bot/reactions",
    "bot/ui",
)
# What these say goes to the log, to operators and to databases: only a whole sentence may be for people.
INNER_PLACES = (
    "bot/aio",
    "bot/app.py",
    "bot/client",
    "bot/jobs/models.py",
    "bot/engine",
    "bot/languages",
    "bot/jobs",
    "bot/media",
    "bot/reasons.py",
    "bot/studii",
)
MARKS = frozenset({"_", "N_", "lazy", "ngettext", "nlazy", "pgettext", "plazy"})
# How many of their first arguments are literal, where that isn't one.
_SENTENCES = {"ngettext": 2, "nlazy": 2, "pgettext": 2, "plazy": 2}
# What is raised for operators and programmers, and what takes words that nobody sees.
_UNSEEN_CALLS = frozenset(
    [
        "AnotherInstance",
        "AssertionError",
        "Backlog",
        "run_forever",
        "Invalid",
        "KeyError",
        "NotImplementedError",
        "RuntimeError",
        "SettingsError",
        "Unavailable",
        "met",
        "TypeError",
        "Never",
        "NotHere",
        "ValueError",
        "compile",
        "create_task",
        "getLogger",
        "tolerated",
        "warn",
        "match",
        "search",
        "sub",
        "strftime",
    ]
)
_LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
_UNSEEN_KEYWORDS = frozenset({"custom_id", "template", "reason", "pattern"})
# What Discord calls a command, an option or a file, and Python a task, has no translation; these names have.
_NAMED = frozenset({"Choice", "add_field", "set_author"})
# Where any word is read, also a single one without a capital.
_SHOWN_KEYWORDS = frozenset({"alt", "content", "description", "footer", "label", "placeholder", "title"})
_SHOWN_CALLS = frozenset(
    [
        *("Message", "Refused", "NotAllowed", "TextDisplay"),
        *("alternatives", "and_list", "or_list", "paragraph", "sentences"),
        *("boxed", "lines", "sentence", "small", "text"),
    ]
)
# Two words, a word beside something that is filled in, or a single word as on a button.
_WORDS = re.compile(
    r"[A-Za-zé’']{2,}[,:;]? [(“*`]*[A-Za-z{]{2,}|[A-Za-z]{2,} \{|\} [A-Za-z]{2,}|^[A-Z][a-z]+[….!?]?$"
)
_SHOWN_FUNCTIONS = ("_words", "_title", "_label")
_WORD = re.compile(r"[A-Za-zé]{2,}")
_SENTENCE = re.compile(r"[A-Z][^ ]* .*[.!?…]$", re.DOTALL)
# What isn't translated in a text: code, commands, addresses, and what Discord shows as something else.
_NO_WORDS = re.compile(r"`[^`]*`|https?://\S+|<[^<> ]*>|\w+://\S+")
EXEMPTION = "# Untranslated:"  # with the reason, at the end of the line or on the line before


def unmarked(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each sentence that is not marked."""
    places = [(place, False) for place in PLACES] + [(place, True) for place in INNER_PLACES]
    places.sort(key=lambda one: -len(one[0]))  # a file's own place counts
    seen: set[Path] = set()
    for place, inner in places:
        path = root / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if file not in seen:
                seen.add(file)
                for number, text in unmarked_in(file.read_text("utf-8"), inner=inner):
                    yield f"{file.relative_to(root)}:{number}", text


def unmarked_in(code: str, *, inner: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each sentence of a module that is not marked.

    `inner`: the module is of those that speak to operators, and only whole sentences count.
    """
    lines = code.splitlines()
    finder = _Finder()
    finder.visit(ast.parse(code))
    for number, text in finder.found:
        near = "\n".join(lines[max(0, number - 2) : number])
        if EXEMPTION not in near and (not inner or _SENTENCE.match(text)):
            yield number, text


class _Finder(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # docstrings are not shown
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in MARKS:
            self._visit_marked(node)
        elif name in _UNSEEN_CALLS or (name in _LOGGING and isinstance(node.func, ast.Attribute)):
            return
        else:
            self.visit(node.func)
            for one in node.args:
                self._visit_argument(one, shown=name in _SHOWN_CALLS)
            for keyword in node.keywords:
                self._visit_keyword(name, keyword)

    def _visit_keyword(self, call: str, node: ast.keyword) -> None:
        named = node.arg == "name"
        if node.arg in _UNSEEN_KEYWORDS or (named and call not in _NAMED):
            shown = None
        else:
            shown = named or node.arg in _SHOWN_KEYWORDS
        literal = isinstance(node.value, ast.Constant | ast.JoinedStr)
        if shown is not None or not literal:
            self._visit_argument(node.value, shown=bool(shown))

    def _visit_argument(self, node: ast.expr, *, shown: bool) -> None:
        """Look at what is given to a call, or kept under a name. Of what is `shown` each word counts."""
        count = len(self.found)
        self.visit(node)
        if shown and len(self.found) == count:
            self._note_words(node)

    def _note_words(self, node: ast.expr) -> None:
        for one in _said(node):
            found = one.lineno, _text_of(one)
            if _WORD.search(_NO_WORDS.sub("", found[1])) and found not in self.found:
                self.found.append(found)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for one in (*node.decorator_list, node.args, *node.body):  # not the type that it returns
            self.visit(one)
        if node.name.endswith(_SHOWN_FUNCTIONS):
            for one in ast.walk(node):
                if isinstance(one, ast.Return) and one.value is not None:
                    self._note_words(one.value)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for one in (*node.decorator_list, *node.body):
            self.visit(one)

    def visit_Assign(self, node: ast.Assign) -> None:
        shown = not _SHOWN_KEYWORDS.isdisjoint(map(_name, node.targets))
        self._visit_argument(node.value, shown=shown)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in (*node.defaults, *(one for one in node.kw_defaults if one is not None)):
            self.visit(default)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._note(node.lineno, node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._note(node.lineno, _text_of(node))
        for one in node.values:
            if isinstance(one, ast.FormattedValue):
                self.visit(one.value)

    def _visit_marked(self, node: ast.Call) -> None:
        """Look at what is filled in. The sentences have to be literal, or no program finds them."""
        count = _SENTENCES.get(_name(node.func), 1)
        for one in node.args[:count]:
            if isinstance(one, ast.JoinedStr | ast.IfExp | ast.BinOp):
                self.found.append((node.lineno, f"{ast.unparse(one)}: a mark takes a literal sentence"))
        for one in (*node.args[count:], *(keyword.value for keyword in node.keywords)):
            self.visit(one)

    def _note(self, number: int, text: str) -> None:
        if _WORDS.search(text) and not text.startswith(("studii:", "https://")):
            self.found.append((number, text))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text_of(node: ast.expr) -> str:
    """Return a literal's text, with braces for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _said(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the literals of which the expression is one, or made of."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            yield node
        case ast.IfExp():
            yield from (*_said(node.body), *_said(node.orelse))
        case ast.BoolOp():
            for one in node.values:
                yield from _said(one)
        case ast.BinOp():
            yield from (*_said(node.left), *_said(node.right))
        case _:
            return
