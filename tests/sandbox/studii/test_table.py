"""The table of failures in CONTRIBUTING.md names what the sandbox can do, and leaves nothing of it out."""

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from sandbox.studii import Outcome, faults
from sandbox.studii.faults import Endpoint
from sandbox.studii.jobs import PROMPT_CONVENTIONS

GUIDE = Path(__file__).parents[3] / "CONTRIBUTING.md"


@pytest.fixture(scope="module")
def rows() -> str:
    """The first column: what is said on demand."""
    table = GUIDE.read_text(encoding="utf-8").partition("| on demand |")[2]
    return "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))


def kinds() -> set[str]:
    """Every way to spoil a request."""
    made = inspect.getmembers(faults, inspect.isfunction)
    classes = inspect.getmembers(faults, inspect.isclass)
    named = {name for name, one in made if one.__module__ == faults.__name__ and not name.startswith("_")}
    named |= {name for name, one in classes if hasattr(one, "apply") and name not in {"Fault", "Answer"}}
    return named


def test_each_failure_in_the_table_exists_and_each_that_exists_is_in_the_table(rows: str) -> None:
    called = set(re.findall(r"\b(\w+)\(", rows)) - {"fail", "revoke", "Outcome", "Output"}
    assert called == kinds()


def test_each_endpoint_in_the_table_exists_and_each_that_exists_is_in_the_table(rows: str) -> None:
    calls = re.findall(r'fail\(("\w+"(?: or "\w+")*)', rows)
    named = {one for call in calls for one in re.findall(r'"(\w+)"', call)}
    assert named == set(get_args(Endpoint))


def test_each_outcome_in_the_table_exists_and_each_that_exists_is_in_the_table(rows: str) -> None:
    named = {one for call in re.findall(r"Outcome\(([^)]*)", rows) for one in re.findall(r"(\w+)=", call)}
    assert named == {field.name for field in fields(Outcome)}


def test_each_word_in_prompts_is_in_the_table(rows: str) -> None:
    assert set(re.findall(r"`(\[[\w-]+\])`", rows)) == set(PROMPT_CONVENTIONS)
