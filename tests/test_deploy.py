"""What deploy/ holds fits the bot: its metrics, its folders, its signals."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main
from bot.config import Settings
from bot.errors import SettingsError, Unavailable
from bot.monitoring import Metrics
from tests.support.database import database

ROOT = Path(__file__).parents[1]
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


COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
MEMORY = re.findall(r"mem_limit: (\d+)m", COMPOSE)[0]


@pytest.mark.promise
def test_the_service_is_run_as_the_container_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEALTH_PORT", raising=False)
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
    assert f"terminationGracePeriodSeconds: {settings_of_compose('stop_grace_period')}\n" in manifest
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
    monkeypatch.chdir(tmp_path)
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
def on_a_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The egg's variables, as they are before anybody changes one."""
    monkeypatch.chdir(tmp_path)
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


@pytest.mark.parametrize("variable", EGG["variables"], ids=lambda one: one["env_variable"])
def test_the_panel_takes_what_the_bot_takes(on_a_node: pytest.MonkeyPatch, variable: dict[str, Any]) -> None:
    rules = dict(one.partition(":")[::2] for one in variable["rules"].split("|"))
    right: list[str] = rules["in"].split(",") if "in" in rules else []
    wrong = ["nothing like that"] if right else []
    for number, step in zip((rules.get("between") or rules.get("min", "")).split(","), (-1, 1), strict=False):
        if number:
            right.append(number)
            wrong.append(str(int(number) + step))
    for value in right:
        on_a_node.setenv(variable["env_variable"], value)
        Settings.read()
    for value in wrong:
        on_a_node.setenv(variable["env_variable"], value)
        with pytest.raises(SettingsError, match=variable["env_variable"]):
            Settings.read()


def settings_of_compose(name: str) -> str:
    (found,) = re.findall(rf"^    {name}: (\d+)", COMPOSE, re.MULTILINE)
    return found
