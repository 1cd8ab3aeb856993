"""What deploy/ holds fits the bot: its metrics, its folders, its signals."""

import json
import re
from pathlib import Path
from typing import Any

from bot.monitoring.metrics import Metrics, Snapshot

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
TYPE = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)
NAME = re.compile(r"\bstudii_\w+")


def metrics() -> dict[str, str]:
    """Each metric that the bot serves, and its kind."""
    found = dict(TYPE.findall(Metrics().render(Snapshot()).decode()))
    return {name: kind for name, kind in found.items() if not name.endswith("_created")}


def series() -> set[str]:
    """Each name that can be asked for."""
    names: set[str] = set()
    for name, kind in metrics().items():
        names |= {f"{name}_{end}" for end in ("bucket", "count", "sum")} if kind == "histogram" else {name}
    return names


def test_the_documents_list_each_metric_with_its_kind_and_no_other() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `(studii_\w+)` \| (\w+) \|", text, re.MULTILINE)) == metrics()


def test_alerts_ask_for_metrics_that_there_are() -> None:
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8")
    assert len(re.findall(r"^      - alert: \w+$", text, re.MULTILINE)) > 10
    assert set(NAME.findall(text)) <= series()


def test_the_dashboard_asks_for_metrics_that_there_are_and_shows_all() -> None:
    board: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    named = {name for expression in asked for name in NAME.findall(expression)}
    assert named <= series()
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name in named}
    assert metrics().keys() - shown == {"studii_rate_limited_total"}  # among the requests to Studii
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
