"""The container's files name only what is there, and an operator's settings reach the bot in it."""

import ast
import importlib.util
import json
import os
import re
import stat
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, cast

import pi_heif  # pyright: ignore[reportMissingTypeStubs]
import pytest
from babel.core import get_global

from bot.config import Settings
from bot.languages import Language

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
VOLUME = "/data"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, in order."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines]


def every(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def image_environment() -> dict[str, str]:
    words = " ".join(every("ENV")).split()
    return dict(word.split("=", 1) for word in words)


def compose_environment() -> dict[str, str]:
    """What `environment:` in compose.yaml sets."""
    (block,) = re.findall(r"^    environment:\n((?: {6}.*\n)+)", COMPOSE, re.MULTILINE)
    pairs = (line.strip().split(": ", 1) for line in block.splitlines() if not line.strip().startswith("#"))
    return {name: value.strip('"') for name, value in pairs}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.lower() in Settings.__dataclass_fields__:
            monkeypatch.delenv(name)


@pytest.fixture
def in_container(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The image's settings, in its working folder."""
    for name, value in image_environment().items():
        if name.lower() in Settings.__dataclass_fields__:
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(every("WORKDIR")[-1])
    return monkeypatch


def test_the_image_keeps_the_languages_that_the_bot_speaks_and_what_they_stand_on() -> None:
    kept = set(re.findall(r"! -name (\w+)\.dat", " ".join(every("RUN"))))
    needed: set[str] = set()
    for language in Language:
        one: str = language.value
        needed.add(one)
        while one != "root":
            one = get_global("parent_exceptions").get(one) or one.rpartition("_")[0] or "root"
            needed.add(one)
    assert kept == needed


@pytest.mark.promise
def test_what_runs_is_found_and_hears_signals() -> None:
    (entry,), (command,) = every("ENTRYPOINT"), every("CMD")
    words = json.loads(entry)  # the exec form: no shell between the bot and SIGTERM
    assert words == ["python", "-m", "bot"]
    assert importlib.util.find_spec("bot.__main__") is not None
    assert json.loads(command) == ["run"]
    places = {
        str(Path(words.split()[-1]).parent / path)
        for words in every("COPY")
        for path in words.split()[:-1]
        if path in {"bot", "cogs", "migrations"}
    }
    assert {str(Path(place).parent) for place in places} == {image_environment()["PYTHONPATH"]}


@pytest.mark.promise
def test_the_health_check_asks_the_bot_where_it_listens(in_container: pytest.MonkeyPatch) -> None:
    (check,) = every("HEALTHCHECK")
    assert json.loads(check.partition("CMD ")[2]) == ["python", "-m", "bot", "health"]
    in_container.setenv("DISCORD_TOKEN", "a.b.c")
    assert [str(Settings.read().health_port)] == every("EXPOSE")
    assert compose_environment() == {
        name: image_environment()[name] for name in ("HEALTH_PORT", "HEALTH_ADDRESS")
    }


@pytest.mark.promise
def test_it_does_not_run_as_root_and_what_it_keeps_is_in_the_volume(in_container: pytest.MonkeyPatch) -> None:
    (user,) = every("USER")
    assert int(user) > 0
    assert f"--owner={user} --group={user} --mode=0700 {VOLUME}" in " ".join(every("RUN"))
    assert every("VOLUME") == [VOLUME]
    assert f"- data:{VOLUME}\n" in COMPOSE
    in_container.setenv("DISCORD_TOKEN", "a.b.c")
    for url in (None, "postgresql://bot:word@db/studii"):
        if url is not None:
            in_container.setenv("DATABASE_URL", url)
        assert str(Settings.read().folder.absolute()) == VOLUME


@pytest.mark.promise
def test_the_image_has_its_licence_and_tells_of_all_others() -> None:
    spec = importlib.util.spec_from_file_location("notice", ROOT / "deploy" / "notice.py")
    assert spec is not None
    assert spec.loader is not None
    notice = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notice)
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "bot.txt").read_text("utf-8"), re.MULTILINE)
    installed = {re.sub(r"[-_.]+", "-", one.name).lower(): one for one in distributions()}
    told = {name: notice.described(installed[name.lower()]) for name in locked if name.lower() in installed}
    assert len(told) > 30
    for name, text in told.items():
        assert re.match(r".+ \S+: \S", text), name  # a licence
        for file in re.findall(r"^  (/.+)", text, re.MULTILINE):
            assert Path(file).is_file()
    info = cast("Any", pi_heif).libheif_info()
    assert f"libheif {info['libheif']}: LGPLv3 https://" in told["pi-heif"]
    assert told["pi-heif"].count(info["libheif"]) == 2
    decoder = info["decoders"]["libde265"].removeprefix("libde265 HEVC decoder, version ")
    assert (
        f"libde265 {decoder}: LGPLv3 https://github.com/strukturag/libde265/tree/v{decoder}\n"
        in told["pi-heif"]
    )
    assert "libfreetype" in told["pillow"]
    licences = 'org.opencontainers.image.licenses="MIT AND LicenseRef-NOTICE"'
    assert licences in every("LABEL")[0]
    workflow = (ROOT / ".github" / "workflows" / "image.yml").read_text("utf-8")
    assert workflow.count(licences.replace('"', "")) == 2
    assert "LICENSE pyproject.toml /app/" in every("COPY")
    assert "--from=build /app/NOTICE /app/NOTICE" in every("COPY")


@pytest.mark.promise
def test_each_python_that_the_bot_promises_is_tested() -> None:
    workflow = (ROOT / ".github" / "workflows" / "checks.yml").read_text("utf-8")
    (matrix,) = re.findall(r"python: \[(.+)\]", workflow)
    oldest = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert oldest is not None
    tested = [int(minor) for minor in re.findall(r'"3\.(\d+)"', matrix)]
    assert tested == list(range(int(oldest[1]), tested[-1] + 1))
    assert tested[-1] >= 14


@pytest.mark.promise
def test_actions_are_pinned_by_their_commits() -> None:
    for workflow in (ROOT / ".github" / "workflows").iterdir():
        used = re.findall(r"uses: (\S+)(.*)", workflow.read_text("utf-8"))
        assert used
        for action, comment in used:
            if action.startswith("./"):
                assert (ROOT / action).is_file()
                continue
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v[\d.]+", comment), action


@pytest.mark.promise
def test_each_setting_of_dotenv_reaches_the_bot_under_compose(in_container: pytest.MonkeyPatch) -> None:
    """`env_file` comes over the image's own, and `environment` over both."""
    assert re.search(r"^    env_file: \.env$", COMPOSE, re.MULTILINE)
    written = {
        "DISCORD_TOKEN": "a.b.c",
        "DATABASE_URL": "postgresql://bot:word@db/studii",
        "ENCRYPTION_KEYS": "newest,older",
        "STUDII_ALLOW_HTTP": "true",
        "STUDII_API_URL": "https://example.com/api/v1",
        "STUDII_TOOLS_FILE": "data/tools.toml",
        "MESSAGE_CONTENT": "off",
        "MAX_SOURCE_MB": "7",
        "SPOOL_MB": "70",
        "KEEP_PROMPTS_DAYS": "9",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "text",
        "DEV_GUILD_ID": "5",
        "SHARD_COUNT": "4",
        "SHARDS_PER_PROCESS": "2",
        "HTTPS_PROXY": "http://proxy:3128",
        "NO_PROXY": "studii.tech",
    }
    decided = compose_environment()
    # A secret comes from one place: those of files have a test of their own.
    files = {"discord_token_file", "encryption_keys_file"}
    assert {
        name.lower() for name in written.keys() | decided.keys()
    } == Settings.__dataclass_fields__.keys() - files
    in_container.setenv("DISCORD_TOKEN", "before.all.else")
    before = Settings.read()
    for name, value in {**written, **decided}.items():
        in_container.setenv(name, value)
    found = Settings.read()
    for name in written:
        assert getattr(found, name.lower()) != getattr(before, name.lower()) or name == "LOG_FORMAT", name
    assert found.log_format == "text"
    in_container.setenv("LOG_FORMAT", "json")
    assert Settings.read().log_format == "json"


def uncommented() -> str:
    """compose.yaml with its example of secrets in use."""
    example = r"(?=-? *(?:secrets:|discord_token|encryption_keys|file:|[A-Z_]+_FILE:))"
    return re.sub(rf"^( *)# ( *){example}", r"\1\2", COMPOSE, flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["discord_token", "encryption_keys"])
def test_the_example_of_secrets_leads_to_settings_that_the_bot_reads(name: str) -> None:
    text = uncommented()
    assert re.search(rf"^    secrets:\n(      - \w+\n)*      - {name}\n", text, re.MULTILINE)
    assert re.search(rf"^secrets:\n(  .*\n)*  {name}:\n    file: \./secrets/{name}\n", text, re.MULTILINE)
    assert f"\n      {name.upper()}_FILE: /run/secrets/{name}\n" in text
    assert f"{name}_file" in Settings.__dataclass_fields__
    assert "secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


@pytest.mark.promise
def test_the_encryption_key_is_put_back_as_the_documents_say(tmp_path: Path) -> None:
    """It is for the bot's user alone, whoever owned the file that was there."""
    document = (ROOT / "docs" / "operators.md").read_text("utf-8")
    (script,) = re.findall(r"--entrypoint sh studii -c \\\n\s+'([^']+)' < encryption.key", document)
    there = tmp_path / "encryption.key"
    there.write_text("of somebody else")
    there.chmod(0o444)
    before = there.stat().st_ino
    here = script.replace(f"{VOLUME}/", f"{tmp_path}/")
    subprocess.run(("/bin/sh", "-c", here), input=b"the key", check=True)  # noqa: S603
    assert (there.read_bytes(), stat.S_IMODE(there.stat().st_mode)) == (b"the key", 0o600)
    assert there.stat().st_ino != before
    assert [one.name for one in tmp_path.iterdir()] == ["encryption.key"]


@pytest.mark.parametrize("folder", ["bot", "cogs", "migrations"])
def test_nothing_depends_on_what_the_image_leaves_out(folder: str) -> None:
    for file in (ROOT / folder).rglob("*.py"):
        text = file.read_text("utf-8")
        assert not re.search(r"^\s*assert\b|__doc__|\bgetdoc\b", text, re.MULTILINE), file
        for node in ast.walk(ast.parse(text)) if folder == "cogs" else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                named = {keyword.arg for keyword in node.keywords}
                if node.func.attr in {"command", "Group"}:  # or its docstring would be what Discord shows
                    assert "description" in named, f"{file}:{node.lineno}"
