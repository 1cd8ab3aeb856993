"""Every line of the log about a job carries the job's id in a field of its own."""

import ast
from pathlib import Path

BOT = Path(__file__).parents[1] / "bot"


def test_each_log_call_that_names_a_job_tells_its_id_to_machines_too() -> None:
    calls = [
        (path.name, node)
        for path in BOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "_log."))
    ]
    about_jobs = [(name, node) for name, node in calls if "ob %s" in ast.unparse(node)]
    assert len(about_jobs) > 10
    missing = [
        f"{name}:{node.lineno}"
        for name, node in about_jobs
        if not any(
            keyword.arg == "extra" and "'job'" in ast.unparse(keyword.value) for keyword in node.keywords
        )
    ]
    assert missing == []
