"""What the operator may write, and what is read of it."""

from pathlib import Path

import pytest

from bot.config import Settings
from tests.config.reading import TOKEN


@pytest.mark.promise
@pytest.mark.usefixtures("token")
def test_a_token_is_all_that_has_to_be_set() -> None:
    settings = Settings.read()
    assert settings.discord_token.reveal() == TOKEN
    assert settings.database_url == "sqlite+aiosqlite:///data/studii.db"
    assert settings.studii_api_url == "https://studii.tech/api/v1"
    assert (settings.encryption_keys, settings.studii_tools_file, settings.dev_guild_id) == ((), None, None)
    assert (settings.max_source_mb, settings.message_content, settings.folder) == (25, "auto", Path("data"))
    assert (settings.log_level, settings.log_format) == ("INFO", "text")


@pytest.mark.promise
def test_a_dotenv_file_is_read_and_the_environment_comes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = 'discord_token="from.the.file"\nMAX_SOURCE_MB=10\nSPOOL_MB=100\nSOMETHING_ELSE=1\nLOG_FORMAT\n'
    (tmp_path / ".env").write_text(lines, encoding="utf-8")
    monkeypatch.setenv("spool_mb", "200")
    settings = Settings.read()
    assert settings.discord_token.reveal() == "from.the.file"
    assert (settings.max_source_mb, settings.spool_mb) == (10, 200)


@pytest.mark.promise
@pytest.mark.usefixtures("token")
def test_the_example_settings_are_taken_as_they_are(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    lines = example.read_text(encoding="utf-8")
    named = {line.split("=")[0].lower() for line in lines.splitlines() if line and line[0] != "#"}
    assert named == Settings.__dataclass_fields__.keys()
    untouched = Settings.read()
    (tmp_path / ".env").write_text(lines, encoding="utf-8")
    assert Settings.read() == untouched


POSTGRESQL = "postgresql+asyncpg://bot:pass@db/studii"


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("written", "name", "used"),
    [
        *(
            (f"DATABASE_URL={written}", "database_url", used)
            for written, used in (
                ("sqlite:///data/studii.db", "sqlite+aiosqlite:///data/studii.db"),
                ("sqlite+aiosqlite:///bot.db", "sqlite+aiosqlite:///bot.db"),
                ("postgresql://bot:pass@db/studii", POSTGRESQL),
                ("postgres://bot:pass@db/studii", POSTGRESQL),
                ("postgresql+psycopg2://bot:pass@db/studii", POSTGRESQL),
                (
                    "postgresql://bot:pass@db/studii?sslmode=require&channel_binding=require",
                    f"{POSTGRESQL}?ssl=require",
                ),
            )
        ),
        ("DATABASE_URL=sqlite:////var/lib/studii/bot.db", "folder", Path("/var/lib/studii")),
        ("DATABASE_URL=postgresql://bot:pass@db/studii", "folder", Path("data")),
        ("LOG_LEVEL=debug", "log_level", "DEBUG"),
        *(
            (f"STUDII_API_URL=http://{host}/api/v1/", "studii_api_url", f"http://{host}/api/v1")
            for host in ("127.0.0.1:8080", "127.8.8.8", "localhost", "[::1]:8080")
        ),
        (
            "STUDII_ALLOW_HTTP=true STUDII_API_URL=http://studii-mirror/api/v1",
            "studii_api_url",
            "http://studii-mirror/api/v1",
        ),
        *((f"STUDII_ALLOW_HTTP={yes}", "studii_allow_http", True) for yes in ("1", "true", "True")),
        ("SPOOL_MB=100", "spool_mb", 100),
        ("ENCRYPTION_KEYS=newest,older", "encryption_keys", 2),
    ],
)
def test_a_setting_may_be_written_in_several_ways(
    monkeypatch: pytest.MonkeyPatch, written: str, name: str, used: object
) -> None:
    for setting in written.split():
        monkeypatch.setenv(*setting.split("=", 1))
    read = getattr(Settings.read(), name)
    assert (len(read) if name == "encryption_keys" else read) == used
