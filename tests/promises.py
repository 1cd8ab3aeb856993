"""Compare the table of promises with the tests that it names: `python -m tests.promises`."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS / "PROMISES.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
MARK = "pytest.mark.promise"


def lines_of(table: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each promise with the ids of its tests. A promise is an item of a list, which may be wrapped."""
    for item in re.findall(r"^- (.+(?:\n  .+)*)", table, re.MULTILINE):
        ids = [f"{path}::{name}" for path, name in NAMED.findall(item)]
        yield " ".join(NAMED.sub("", item).split()).rstrip(" ,"), ids


def marked() -> set[str]:
    """Return the ids of all tests that are marked as tests of promises."""
    return {
        f"{module.relative_to(TESTS).as_posix()}::{one.name}"
        for module in TESTS.rglob("test_*.py")
        if MARK in (source := module.read_text("utf-8"))
        for one in ast.parse(source).body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(ast.unparse(decorator) == MARK for decorator in one.decorator_list)
    }


def mismatches(table: str, tests: set[str]) -> list[str]:
    """Return what is missing: a promise's test, a test's mark, or a line for a marked test."""
    promises = list(lines_of(table))
    named = {one for _, ids in promises for one in ids}
    return [
        *(f"no test: {promise}" for promise, ids in promises if not ids),
        *(f"no such test marked with @{MARK}: {one}" for one in sorted(named - tests)),
        *(f"no line in {TABLE.name}: {one}" for one in sorted(tests - named)),
    ]


def main() -> int:
    """Print the mismatches; fail if there are any."""
    table = TABLE.read_text("utf-8")
    found = mismatches(table, marked())
    print("\n".join(found or [f"{len(list(lines_of(table)))} promises, {len(marked())} tests."]))  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
