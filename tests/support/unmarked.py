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
    "bot/domain",
    "bot/errors.py",
    "bot/reactions",
    "bot/services",
    "bot/studii/errors.py",
    "bot/ui",
)
MARKS = frozenset({"_", "N_", "lazy", "ngettext", "nlazy", "pgettext", "plazy", "npgettext"})
# How many of their first arguments are literal, where that isn't one.
_SENTENCES = {"ngettext": 2, "nlazy": 2, "pgettext": 2, "plazy": 2, "npgettext": 3}
# What is raised for operators and programmers, and what takes words that nobody sees.
_UNSEEN_CALLS = frozenset(
    [
        "AssertionError",
        "Backlog",
        "_photo_backlog",
        "ChannelGone",
        "Groups",
        "Invalid",
        "KeyError",
        "NotImplementedError",
        "RuntimeError",
        "SettingsError",
        "TakeOverFailed",
        "TypeError",
        "Undeliverable",
        "ValueError",
        "ToldOnce",
        "compile",
        "create_task",
        "getLogger",
        "template_of",
        "warn",
        "match",
        "search",
        "sub",
        "strftime",
    ]
)
_LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
_UNSEEN_KEYWORDS = frozenset({"custom_id", "template", "reason", "pattern", "name"})
# Two words, a word beside something that is filled in, or a single word as on a button.
_WORDS = re.compile(
    r"[A-Za-zé’']{2,}[,:;]? [(“*`]*[A-Za-z{]{2,}|[A-Za-z]{2,} \{|\} [A-Za-z]{2,}|^[A-Z][a-z]+[….!?]?$"
)
EXEMPTION = "# Untranslated:"  # with the reason, at the end of the line or on the line before


def unmarked(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each sentence that is not marked."""
    for place in PLACES:
        path = root / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            lines = file.read_text("utf-8").splitlines()
            finder = _Finder()
            finder.visit(ast.parse("\n".join(lines)))
            for number, text in finder.found:
                near = "\n".join(lines[max(0, number - 2) : number])
                if EXEMPTION not in near:
                    yield f"{file.relative_to(root)}:{number}", text


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
            self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in _UNSEEN_KEYWORDS or not isinstance(node.value, ast.Constant | ast.JoinedStr):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for one in (*node.decorator_list, node.args, *node.body):  # not the type that it returns
            self.visit(one)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for one in (*node.decorator_list, *node.body):
            self.visit(one)

    def visit_Assign(self, node: ast.Assign) -> None:
        if "__all__" not in map(_name, node.targets):
            self.visit(node.value)

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
        text = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
        self._note(node.lineno, text)
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
