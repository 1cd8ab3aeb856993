"""The rules of the house that no linter keeps: first answers, unused code, and a map that is true."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.promises import TABLE, marked, mismatches

ROOT = Path(__file__).parents[1]
CODE = ("bot", "cogs", "sandbox", "bench", "tests")
DOCUMENTED = (*CODE, "migrations", "deploy", "docs", "changes")


def test_contributing_names_files_and_definitions_that_exist() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    files = [path for folder in DOCUMENTED for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    paths = "\n".join(f"/{path.relative_to(ROOT).as_posix()}" for path in files) + "\n"
    words = {word for path in files if path.suffix == ".py" for word in re.findall(r"\w+", path.read_text())}
    made = (ROOT / ".gitignore").read_text().replace("/", "").split()  # by commands, not by people
    missing: list[str] = []
    for name in set(re.findall(r"`([^`\n]+)`", page)):
        if re.fullmatch(r"[\w./-]+\.(py|toml)", name):
            there = paths.count(f"/{name}\n") == 1  # a name that two files have says neither
        elif re.fullmatch(r"[\w./-]+/", name):
            there = f"/{name}" in paths or name.strip("/") in made
        else:
            there = not re.fullmatch(r"_\w+|[A-Z]\w+|[a-z]\w*_\w+", name) or name in words
        if not there:
            missing.append(name)
    assert not missing


def test_a_module_is_either_forbidden_to_the_decoder_or_one_of_those_that_it_may_import() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one.get("source_modules") == ["bot.media.decoder"])
    found = {
        ".".join(one.relative_to(ROOT).with_suffix("").parts)
        for folder in (ROOT / "bot", ROOT / "bot/media")
        for one in folder.iterdir()
        if one.suffix == ".py" or (one / "__init__.py").exists()
    }
    packages = {"bot.__init__", "bot.media", "bot.media.__init__", "bot.media.decoder"}
    allowed = {f"bot.media.{one}" for one in ("drawing", "kinds", "metadata")}
    assert {
        one for one in contract["forbidden_modules"] if one.startswith("bot.")
    } == found - packages - allowed


def test_nothing_in_the_bot_is_used_by_tests_or_the_sandbox_alone() -> None:
    vulture = (str(Path(sys.executable).with_name("vulture")), "bot", "cogs", "migrations")
    found = subprocess.run(vulture, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert [line for line in found.stdout.splitlines() if line.startswith(("bot/", "cogs/"))] == []
    assert "unused variable 'down_revision'" in found.stdout  # what only Alembic reads is found


def test_each_promise_has_its_tests_and_each_marked_test_its_promise() -> None:
    assert mismatches(TABLE.read_text("utf-8"), marked()) == []
