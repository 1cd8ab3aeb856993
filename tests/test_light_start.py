"""What a start on the newest schema, on SQLite, has no use for is not imported: it costs time and memory."""

import subprocess
import sys

UNUSED = {"alembic", "mako", "pygments", "PIL", "matplotlib", "numpy", "asyncpg", "multiprocessing.pool"}


def test_the_bot_imports_nothing_that_it_may_never_need() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import sys, bot.process; print(*sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert not UNUSED & set(shown.stdout.split())
