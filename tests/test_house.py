"""The rules of the house that no linter keeps: first answers, unused code, and a map that is true."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.promises import TABLE, marked, mismatches
from tests.support.parsed import statements_of

ROOT = Path(__file__).parents[1]
CODE = ("bot", "cogs", "sandbox", "bench", "tests")
DOCUMENTED = (*CODE, "migrations", "deploy", "docs", "changes")

# Imports that the contracts in pyproject.toml forbid, some for each: the module, and what it imports.
FORBIDDEN = (
    ("bot.credits.limits", "discord"),
    ("bot.jobs.models", "discord"),
    ("bot.monitoring", "discord"),
    ("bot.credits.ledger", "aiosqlite"),
    ("bot.engine.engine", "asyncpg"),
    ("bot.engine.engine", "sqlalchemy"),
    ("cogs.tools", "bot.storage"),
    ("cogs.tools", "bot.engine.engine"),
    ("cogs.jobs", "bot.storage"),
    ("cogs.jobs", "bot.studii.answers"),
    ("cogs.jobs", "bot.cluster"),
    ("cogs.jobs", "bot.clock"),
    ("bot.app", "cogs.tools"),
    ("bot.cli.doctor", "sandbox.photos"),
    ("bot.cli.stopped", "bot.cli.doctor"),
    ("bot.ui.kit.text", "bench"),
    ("bot.jobs.queries", "tests"),
    ("cogs.tools", "sandbox.photos"),
    ("sandbox.photos", "tests"),
    ("bot.media.decoder.serve", "bot.media.pool"),
    ("bot.media.decoder.pictures", "bot.errors"),
    ("bot.media.decoder.pictures", "bot.validation"),
    ("bot.engine.lane", "asyncio"),
    ("bot.engine.lane", "aiohttp"),
    ("bot.engine.lane", "random"),
    ("bot.domain.guilds", "socket"),
    ("bot.domain.guilds", "subprocess"),
    ("bot.domain.guilds", "pathlib"),
    ("bot.engine.requests", "bot.engine.workers.outputs"),
    ("bot.engine.requests", "bot.engine.lanes"),
    ("bot.engine.rate", "asyncio"),
    ("bot.engine.workers.outputs", "bot.engine.workers.download"),
    ("bot.engine.lane", "bot.engine.requests"),
    ("bot.jobs.decide", "discord"),
    ("bot.studii.errors", "bot.studii.client"),
    ("bot.ui.kit.layout", "bot.ui.jobs.progress"),
    ("bot.ui.admin.language", "bot.ui.admin.credits"),
    ("bot.features.words", "bot.engine.engine"),
    ("bot.delivery.errors", "bot.delivery.discord"),
    ("bot.delivery.pictures", "bot.delivery.results"),
    ("bot.reactions.events", "bot.reactions.best_results"),
    ("bot.media.kinds", "bot.media.spool"),
)


def modules() -> Iterator[Path]:
    for folder in CODE:
        yield from (ROOT / folder).rglob("*.py")


def test_one_place_announces_answers_as_it_keeps_them_for_the_start_after_a_kill() -> None:
    announce = [
        module.relative_to(ROOT).as_posix()
        for folder in ("bot", "cogs")
        for module in (ROOT / folder).rglob("*.py")
        if "thinking=True" in module.read_text("utf-8")
    ]
    assert announce == ["bot/ui/kit/deferral.py"]


def test_first_answers_are_given_where_nothing_announces_them_meanwhile() -> None:
    """Who answers directly has to await `answering` before, or the announcement comes beside the answer."""
    direct = re.compile(r"\.response\.(send|edit|defer)")
    answer = [
        module.relative_to(ROOT).as_posix()
        for folder in ("bot", "cogs")
        for module in (ROOT / folder).rglob("*.py")
        if direct.search(module.read_text("utf-8"))
    ]
    kit = [f"bot/ui/kit/{name}.py" for name in ("deferral", "forms", "responses")]
    assert sorted(answer) == kit


@cache
def imported_from(module: Path) -> frozenset[tuple[str | None, str]]:
    """Return what a module imports, with the module that it takes it from. Read once for all tests."""
    inside = statements_of(ast.parse(module.read_text()))
    return frozenset(
        (one.module, name.name) for one in inside if isinstance(one, ast.ImportFrom) for name in one.names
    )


def test_what_a_package_offers_is_taken_from_it() -> None:
    taken = {one for module in modules() for one in imported_from(module)}
    unused: list[str] = []
    for package in (ROOT / "bot").rglob("__init__.py"):
        tree = ast.parse(package.read_text())
        own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        module = package.parent.relative_to(ROOT).as_posix().replace("/", ".")
        offered = {
            n.asname or n.name for node in tree.body if isinstance(node, ast.ImportFrom) for n in node.names
        }
        unused += [f"{module}.{name}" for name in offered - own if (module, name) not in taken]
    assert not unused


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


def test_contributing_finds_a_name_in_the_file_that_it_gives_with_it() -> None:
    """As "`name` in `file`", "`name` (`file`", "`file` (`name`" or "`file`, `name`", of several names too."""
    page = " ".join((ROOT / "CONTRIBUTING.md").read_text().split())
    names, file = r"((?:`[\w.]+`(?:, | and )?)+)", r"`([\w/]+\.py)`"
    pairs = [(one[1], one[2]) for one in re.finditer(rf"{names} in {file}", page)]
    pairs += [(one[1], one[2]) for one in re.finditer(rf"{names} \({file}", page)]
    pairs += [(one[2], one[1]) for one in re.finditer(rf"{file} \((?:[^`()]* )?{names}", page)]
    pairs += [(one[2], one[1]) for one in re.finditer(rf"{file}, {names}(?! in )(?! \()", page)]
    wrong: list[tuple[str, str]] = []
    for given, place in pairs:
        (source,) = (one for one in modules() if one.as_posix().endswith(f"/{place}"))
        words = set(re.findall(r"\w+", source.read_text()))
        said = [name for name in re.findall(r"`([\w.]+)`", given) if not name.endswith(".py")]
        wrong += [(name, place) for name in said if not set(name.split(".")) <= words]
    assert len(pairs) > 10
    assert wrong == []


def test_each_import_that_the_layers_forbid_is_reported_for_itself(tmp_path: Path) -> None:
    for folder in ("bot", "cogs", "sandbox"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for source, target in FORBIDDEN:
        module = tmp_path / source.replace(".", "/")
        # A package that became a module can leave an empty folder behind.
        file = module.with_suffix(".py")
        file = file if file.exists() else module / "__init__.py"
        file.write_text(f"{file.read_text()}\nimport {target}\n")
    lint = (str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    said = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    report = " ".join(said.stdout.split())
    assert said.returncode == 1
    assert [one for one in FORBIDDEN if f"{one[0]} -> {one[1]} (l." not in report] == []
    assert " 0 kept, " in report  # each contract has an example here


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
    allowed = {f"bot.media.{one}" for one in ("drawing", "kinds", "fonts", "metadata")}
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


def test_a_promise_without_a_test_and_a_test_without_a_promise_are_found() -> None:
    table = (
        "- Kept.\n  `a.py::test_b`,\n  `a.py::test_c`\n- Until panels:\n  forgotten.\n- Lost. `a.py::test_d`"
    )
    found = mismatches(table, {"a.py::test_b", "a.py::test_c", "a.py::test_e"})
    assert [one.split(": ", 1)[1] for one in found] == [
        "Until panels: forgotten.",
        "a.py::test_d",
        "a.py::test_e",
    ]
