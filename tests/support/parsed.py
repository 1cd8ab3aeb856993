"""The statements and functions of a module, found in its syntax."""

import ast
from collections.abc import Iterator


def functions_of(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield each function, also one within another."""
    for one in statements_of(module):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            yield one


def statements_of(module: ast.Module) -> Iterator[ast.AST]:
    """Yield the module and each statement, also one within another; and no expression, of which there are
    many times more."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, part, ())
