"""A version has one home, its changes are told, and a database of each released version comes up."""

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from bot.db import Database
from bot.migrate import SCRIPTS, migrate
from bot.servers import keys
from bot.version import VERSION
from sandbox.discord.emulator import DiscordServer
from tests.database.rows import read, seed
from tests.support.patience import PATIENCE
from tests.support.process import bot_process

ROOT = Path(__file__).parents[1]
UPGRADING = (ROOT / "docs" / "upgrading.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
RELEASES = dict(re.findall(r"^\| (\d+\.\d+\.\d+) \| (\d{4}) \| ", UPGRADING, re.MULTILINE))
KINDS = ("upgrade", "added", "changed", "fixed", "removed")


def fragments() -> list[str]:
    return [one.name for one in (ROOT / "changes").iterdir() if one.name not in NOT_FRAGMENTS]


NOT_FRAGMENTS = {"README.md", "template.md.jinja"}


@pytest.mark.promise
def test_each_release_is_in_the_changelog_and_among_the_upgrades() -> None:
    told = re.findall(r"^## (\S+)", CHANGELOG, re.MULTILINE)
    assert told == list(RELEASES)
    assert told[0] == VERSION


def test_the_newest_release_has_the_newest_schema_unless_changes_wait_for_the_next() -> None:
    head = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert RELEASES.get(VERSION) == head or fragments(), (
        f"The newest schema is {head}. Before the release of {VERSION}: say so in docs/upgrading.md. "
        "After it: tell the change in changes/."
    )


@pytest.mark.promise
def test_what_waits_for_the_next_release_has_a_kind() -> None:
    wrong = [name for name in fragments() if not re.fullmatch(rf"[\w+-]+\.({'|'.join(KINDS)})\.md", name)]
    assert not wrong


@pytest.mark.promise
def test_a_release_gathers_what_waits_into_the_changelog(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "changes", tmp_path / "changes")
    for kind in KINDS:
        (tmp_path / "changes" / f"here.{kind}.md").write_text(f"It is {kind}.\n")
    command = (sys.executable, "-m", "towncrier", "build", "--keep", "--version", "9.8.7", "--date", "1 May")
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)  # noqa: S603
    changelog = (tmp_path / "CHANGELOG.md").read_text()
    (written,) = re.findall(r"\n## 9\.8\.7 \(1 May\)\n(.*?)\n## ", changelog, re.DOTALL)
    places = [written.index(f"- It is {kind}.\n") for kind in KINDS]
    assert places == sorted(places)
    assert "### Before you upgrade\n" in written
    assert f"\n\n## {VERSION}" in changelog


@pytest.mark.promise
@pytest.mark.parametrize("release", RELEASES)
async def test_a_database_of_each_release_comes_up(release: str, tmp_path: Path) -> None:
    file = tmp_path / "data" / "studii.db"
    file.parent.mkdir()
    url = f"sqlite+aiosqlite:///{file}"
    await migrate(url, RELEASES[release])
    seed(file)
    with read(file) as database:
        # A server that the bot is in, with a key in use; otherwise it would be forgotten.
        database.execute("UPDATE guilds SET left_at = NULL, missing_since = NULL")
        database.execute("UPDATE studii_keys SET retired_at = NULL")
        database.commit()
    async with (
        DiscordServer(guilds=[1]) as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL="http://127.0.0.1:9") as process,
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, said.decode()
    assert f"Studii for Discord {VERSION} is starting".encode() in said
    async with Database.open(url) as db:
        assert await db.read(keys.current, 1) is not None
