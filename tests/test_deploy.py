"""The container's files and what deploy/ holds fit the bot: its settings, metrics, folders and signals."""

import asyncio
import importlib.util
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, cast

import pi_heif  # pyright: ignore[reportMissingTypeStubs]
import pytest

from bot.__main__ import main
from bot.config import Settings
from bot.errors import SettingsError, Unavailable
from bot.monitoring import Metrics
from tests.support.database import database
from tests.support.process import without_settings

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
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


@pytest.fixture
def in_container(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The image's settings, in its working folder."""
    for name, value in image_environment().items():
        if name.lower() in Settings.__dataclass_fields__:
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(every("WORKDIR")[-1])
    return monkeypatch


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


DEPLOY = ROOT / "deploy"
TYPE = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)
DISCORDS_LOGINS_A_DAY = 1000
NAME = re.compile(r"\bstudii_\w+")


def metrics() -> dict[str, str]:
    """Each metric that the bot serves, and its kind."""
    return dict(TYPE.findall(Metrics().render({}).decode()))


def series() -> set[str]:
    """Each name that can be asked for."""
    names: set[str] = set()
    for name, kind in metrics().items():
        names |= {f"{name}_{end}" for end in ("bucket", "count", "sum")} if kind == "histogram" else {name}
    return names


@pytest.mark.promise
def test_the_documents_list_each_metric_with_its_kind_and_no_other() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `(studii_\w+)` \| (\w+) \|", text, re.MULTILINE)) == metrics()


@pytest.mark.promise
def test_alerts_ask_for_metrics_that_there_are() -> None:
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8")
    assert len(re.findall(r"^      - alert: \w+$", text, re.MULTILINE)) > 10
    assert set(NAME.findall(text)) <= series()


@pytest.mark.promise
def test_the_dashboard_asks_for_metrics_that_there_are_and_shows_all() -> None:
    board: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    named = {name for expression in asked for name in NAME.findall(expression)}
    assert named <= series()
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}
    assert metrics().keys() - shown == {"studii_rate_limited_total"}  # among the requests to Studii
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def settings(unit: str) -> dict[str, str]:
    """The settings of a systemd unit; the last one of a name."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))


MEMORY = re.findall(r"mem_limit: (\d+)m", COMPOSE)[0]


@pytest.mark.promise
def test_the_service_is_run_as_the_container_is() -> None:
    unit = settings((DEPLOY / "systemd" / "studii.service").read_text("utf-8"))
    assert unit["ExecStart"] == "/opt/studii/.venv/bin/python -m bot run"
    assert unit["WorkingDirectory"] == f"/var/lib/{unit['StateDirectory']}"
    assert f"PYTHONPATH={unit['ExecStart'].partition('/.venv')[0]} " in unit["Environment"]
    assert unit["RestartPreventExitStatus"] == str(main(["health"]))  # a setting is missing
    assert unit["RestartPreventExitStatus"] != str(Unavailable.exit_status)  # the same may work later
    starts_a_day = 24 * 3600 / int(unit["RestartMaxDelaySec"]) + int(unit["RestartSteps"])
    assert unit["StartLimitIntervalSec"] == "1d"
    assert starts_a_day < int(unit["StartLimitBurst"]) < DISCORDS_LOGINS_A_DAY  # no outage is too long
    assert f"stop_grace_period: {unit['TimeoutStopSec']}s" in COMPOSE
    assert unit["MemoryMax"] == f"{MEMORY}M"
    assert f"pids_limit: {unit['TasksMax']}\n" in COMPOSE


def backup_of_systemd() -> str:
    unit = settings((DEPLOY / "systemd" / "studii-backup.service").read_text("utf-8"))
    service = settings((DEPLOY / "systemd" / "studii.service").read_text("utf-8"))
    for name in ("User", "EnvironmentFile", "WorkingDirectory", "UMask", "StateDirectoryMode"):
        assert unit[name] == service[name]
    assert unit["StateDirectory"].split() == ["studii", "studii/backups"]
    python = service["ExecStart"].partition(" ")[0]
    steps = [unit["ExecStart"], unit["ExecStartPost"]]
    return "\n".join(steps).replace("$$", "$").replace("%%", "%").replace(python, "python")


def backup_of_kubernetes() -> str:
    manifest = (DEPLOY / "kubernetes" / "backup.yaml").read_text("utf-8")
    (script,) = re.findall(r"args:\n +- \|\n((?: {18}.*\n)+)", manifest)
    return script.replace("/backups", "backups")


@pytest.mark.promise
@pytest.mark.parametrize("script", [backup_of_systemd, backup_of_kubernetes])
async def test_a_nightly_backup_makes_a_copy_and_deletes_old_ones(
    tmp_path: Path, script: Callable[[], str]
) -> None:
    (tmp_path / "data").mkdir()
    await database(tmp_path / "data")
    backups = tmp_path / "backups"
    backups.mkdir()
    for name in ("studii-2001-01-01.db", "mine.db"):
        (backups / name).touch()
        os.utime(backups / name, (0, 0))
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec("/bin/sh", "-ec", script(), cwd=tmp_path, env=environment)
    assert await process.wait() == 0
    made, kept = sorted(one.name for one in backups.iterdir())[::-1]
    assert kept == "mine.db"
    assert re.fullmatch(r"studii-\d{4}-\d\d-\d\d-\d{6}\.db", made)
    assert (backups / made).read_bytes().startswith(b"SQLite format 3")


@pytest.mark.promise
def test_the_cluster_runs_the_image_as_compose_does() -> None:
    manifest = (DEPLOY / "kubernetes" / "studii.yaml").read_text("utf-8")
    (user,) = re.findall(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", manifest) == [user] * 3
    assert f"memory: {MEMORY}Mi\n" in manifest
    assert "mountPath: /data\n" in manifest
    (grace,) = re.findall(r"^    stop_grace_period: (\d+)", COMPOSE, re.MULTILINE)
    assert f"terminationGracePeriodSeconds: {grace}\n" in manifest
    assert "livenessProbe" not in manifest  # while Discord is away, a restart would not help
    kustomization = (DEPLOY / "kubernetes" / "kustomization.yaml").read_text("utf-8")
    assert "newName: studii-for-discord\n    newTag: local\n" in kustomization  # as compose builds it


@pytest.mark.promise
def test_the_compose_file_of_several_processes_has_what_its_steps_name() -> None:
    text = (ROOT / "compose.cluster.yaml").read_text("utf-8")
    steps = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    services = {"postgresql", "one", "two"}
    assert set(re.findall(r"^  (\w+):(?: &\w+)?$", text.partition("\nvolumes:")[0], re.MULTILINE)) == services
    named = re.findall(r"-f compose\.cluster\.yaml (?:up -d --wait|exec) (\w+)", steps)
    assert set(named) == {"postgresql", "one"}
    assert text.count("<<: *process") == 1
    assert re.search(r"file: compose\.yaml\n +service: studii\n", text)
    settings = re.findall(r"^      ([A-Z_]+): ", text.partition("&process")[2], re.MULTILINE)
    assert {name.lower() for name in settings} <= Settings.__dataclass_fields__.keys()
    assert set(re.findall(r"\$\{([A-Z_]+)[:}]", text)) == {"POSTGRES_PASSWORD", "ENCRYPTION_KEYS"}
    assert "postgresql://studii:${POSTGRES_PASSWORD}@postgresql/studii" in text  # as in the steps of a move
    assert "move postgresql://studii@postgresql/studii" in steps


def variables(manifest: str) -> dict[str, str]:
    """The variables that a manifest sets."""
    return dict(
        re.findall(
            r"^            - name: ([A-Z_]+)\n              value: \"?([^\"\n]*)\"?$", manifest, re.MULTILINE
        )
    )


@pytest.mark.promise
def test_of_the_processes_of_a_cluster_one_more_stands_by() -> None:
    manifest = (DEPLOY / "kubernetes-cluster" / "processes.yaml").read_text("utf-8")
    (replicas,) = re.findall(r"^  replicas: (\d+)$", manifest, re.MULTILINE)
    found = variables(manifest)
    assert int(found["SHARD_COUNT"]) == (int(replicas) - 1) * int(found["SHARDS_PER_PROCESS"])


@pytest.mark.promise
def test_no_process_of_a_cluster_starts_on_files_that_end_with_its_pod(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A SQLite database and a key file of its own would be in the pod's folder."""
    manifest = (DEPLOY / "kubernetes-cluster" / "processes.yaml").read_text("utf-8")
    keys = tmp_path / "encryption_keys"
    written = {**variables(manifest), "ENCRYPTION_KEYS_FILE": str(keys)}
    assert set(written) == set(variables(manifest))
    for name, value in {
        **written,
        "DISCORD_TOKEN": "a.b.c",
        "DATABASE_URL": "postgresql://db/studii",
    }.items():
        monkeypatch.setenv(name, value)
    keys.write_text("", "utf-8")  # ENCRYPTION_KEYS is empty in the secret
    with pytest.raises(SettingsError, match="the file is empty"):
        Settings.read()
    keys.write_text("newest,older", "utf-8")
    assert [one.reveal() for one in Settings.read().encryption_keys] == ["newest", "older"]
    monkeypatch.setenv("DATABASE_URL", "sqlite:///data/studii.db")
    with pytest.raises(SettingsError, match="need PostgreSQL"):
        Settings.read()


EGG: dict[str, Any] = json.loads((DEPLOY / "pterodactyl" / "egg-studii.json").read_text("utf-8"))
DEFAULTS: dict[str, str] = {one["env_variable"]: one["default_value"] for one in EGG["variables"]}


@pytest.fixture
def on_a_node(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The egg's variables, as they are before anybody changes one."""
    for name, value in {**DEFAULTS, "DISCORD_TOKEN": "a.b.c"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.promise
def test_the_eggs_variables_are_settings_and_its_data_outlives_the_container(
    on_a_node: pytest.MonkeyPatch,
) -> None:
    assert {name.lower() for name in DEFAULTS} <= Settings.__dataclass_fields__.keys()
    found = Settings.read()
    assert found.folder == Path("/home/container/data")
    assert found.health_address == "127.0.0.1"
    others = set(DEFAULTS) - {"DATABASE_URL", "DISCORD_TOKEN", "ENCRYPTION_KEYS"}
    for name in others:
        on_a_node.delenv(name)
    left_out = Settings.read()
    for name in others:
        assert getattr(found, name.lower()) == getattr(left_out, name.lower()), name
    image = (ROOT / "Dockerfile").read_text("utf-8")
    words = [
        *json.loads(image.partition("ENTRYPOINT ")[2].splitlines()[0]),
        *json.loads(image.rpartition("CMD ")[2]),
    ]
    assert EGG["startup"] == " ".join(words)  # the image's own, as no shell of a panel's starts it
    assert EGG["config"]["stop"] == "^C"
    (done,) = json.loads(EGG["config"]["startup"]).values()
    assert f'_log.info("{done}%s' in (ROOT / "bot" / "client" / "bot.py").read_text("utf-8")
