"""The settings: what the operator may write, and the one line that tells what is wrong."""

import os
from pathlib import Path

import pytest

from bot.config import Settings
from bot.errors import SettingsError

TOKEN = "discord-token-for-tests"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine reaches the tests: an empty folder, and none of our variables."""
    monkeypatch.chdir(tmp_path)
    ours = set(Settings.model_fields)
    for name in list(os.environ):
        if name.lower() in ours:
            monkeypatch.delenv(name)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)


def complaint() -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.usefixtures("token")
def test_a_token_is_all_that_has_to_be_set() -> None:
    settings = Settings.read()
    assert settings.discord_token.get_secret_value() == TOKEN
    assert settings.database_url == "sqlite+aiosqlite:///data/studii.db"
    assert settings.studii_api_url == "https://studii.tech/api/v1"
    assert settings.encryption_keys == ()
    assert settings.studii_tools_file is None
    assert (settings.max_source_mb, settings.message_content) == (25, "auto")
    assert (settings.log_level, settings.log_format, settings.dev_guild_id) == ("INFO", "text", None)
    assert settings.folder == Path("data")


def test_a_missing_token_says_how_to_begin() -> None:
    assert complaint() == "DISCORD_TOKEN is not set. Copy .env.example to .env and fill it in."


@pytest.mark.parametrize("blank", ["", "   "])
def test_an_empty_token_says_where_to_get_one(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", blank)
    expected = "DISCORD_TOKEN is empty; paste the token from your application's Bot page at Discord."
    assert complaint() == expected


def test_a_dotenv_file_is_read_and_the_environment_comes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = 'DISCORD_TOKEN="from.the.file"\nMAX_SOURCE_MB=10\nSPOOL_MB=100\nSOMETHING_ELSE=1\n'
    (tmp_path / ".env").write_text(lines, encoding="utf-8")
    monkeypatch.setenv("SPOOL_MB", "200")
    settings = Settings.read()
    assert settings.discord_token.get_secret_value() == "from.the.file"
    assert (settings.max_source_mb, settings.spool_mb) == (10, 200)


@pytest.mark.usefixtures("token")
def test_settings_left_empty_have_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(Settings.model_fields) - {"discord_token"}:
        monkeypatch.setenv(name.upper(), " ")
    emptied = Settings.read()
    for name in set(Settings.model_fields) - {"discord_token"}:
        monkeypatch.delenv(name.upper())
    assert emptied == Settings.read()


@pytest.mark.usefixtures("token")
def test_the_example_settings_are_taken_as_they_are(tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / ".env.example"
    lines = example.read_text(encoding="utf-8")
    named = {line.split("=")[0].lower() for line in lines.splitlines() if line and line[0] != "#"}
    assert named == set(Settings.model_fields)
    untouched = Settings.read()
    (tmp_path / ".env").write_text(lines, encoding="utf-8")
    assert Settings.read() == untouched


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("sqlite:///data/studii.db", "sqlite+aiosqlite:///data/studii.db"),
        ("sqlite:////var/lib/studii/bot.db", "sqlite+aiosqlite:////var/lib/studii/bot.db"),
        ("sqlite+aiosqlite:///bot.db", "sqlite+aiosqlite:///bot.db"),
        ("postgresql://bot:pass@db/studii", "postgresql+asyncpg://bot:pass@db/studii"),
        ("postgres://bot:pass@db/studii", "postgresql+asyncpg://bot:pass@db/studii"),
        ("postgresql+psycopg2://bot@db/studii", "postgresql+asyncpg://bot@db/studii"),
        ("postgresql://bot@db/s?sslmode=require", "postgresql+asyncpg://bot@db/s?ssl=require"),
        (
            "postgresql://bot@db/s?sslmode=require&channel_binding=require",
            "postgresql+asyncpg://bot@db/s?ssl=require",
        ),
    ],
)
def test_plain_database_addresses_are_taken(monkeypatch: pytest.MonkeyPatch, written: str, used: str) -> None:
    monkeypatch.setenv("DATABASE_URL", written)
    assert Settings.read().database_url == used


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "mysql://db/studii", "mysql is not supported; use sqlite or postgresql."),
        (
            "DATABASE_URL",
            "postgresql://db/s?hurry=yes",
            "has the option 'hurry', which is not known here; leave it out.",
        ),
        (
            "STUDII_API_URL",
            "http://user:word@studii.tech/api/v1",
            "must be an address such as https://studii.tech/api/v1.",
        ),
        ("DEV_GUILD_ID", "-5", "must be more than 0."),
        ("DATABASE_URL", "sqlite://", "needs a file: sqlite:///data/studii.db."),
        ("DATABASE_URL", "sqlite:///:memory:", "needs a file: sqlite:///data/studii.db."),
        (
            "DATABASE_URL",
            "studii.db",
            "must look like sqlite:///data/studii.db or postgresql://user:password@host/name.",
        ),
        ("STUDII_API_URL", "studii.tech/api/v1", "must be an address such as https://studii.tech/api/v1."),
        ("STUDII_API_URL", "ftp://studii.tech", "must be an address such as https://studii.tech/api/v1."),
        ("MAX_SOURCE_MB", "0", "must be at least 1."),
        ("SPOOL_MB", "10", "must be at least 50."),
        ("LOG_LEVEL", "loud", "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'."),
        ("LOG_FORMAT", "xml", "must be 'text' or 'json'."),
        ("MESSAGE_CONTENT", "yes", "must be 'auto' or 'off'."),
        ("DEV_GUILD_ID", "my server", "must be a whole number."),
        ("HEALTH_PORT", "65536", "must be at most 65535."),
        ("HEALTH_PORT", "80.5", "must be a whole number."),
    ],
)
def test_a_wrong_setting_is_one_line_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    assert complaint() == f"{name} {expected}"


def test_all_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_MB", "lots")
    line = complaint()
    assert "DISCORD_TOKEN is not set." in line
    assert "SPOOL_MB must be a whole number." in line


@pytest.mark.usefixtures("token")
def test_the_log_level_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert Settings.read().log_level == "DEBUG"


@pytest.mark.usefixtures("token")
def test_a_slash_behind_the_api_address_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDII_API_URL", "http://127.0.0.1:8080/api/v1/")
    assert Settings.read().studii_api_url == "http://127.0.0.1:8080/api/v1"


@pytest.mark.usefixtures("token")
def test_several_encryption_keys_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "newest, older\nold")
    keys = Settings.read().encryption_keys
    assert [key.get_secret_value() for key in keys] == ["newest", "older", "old"]


@pytest.mark.usefixtures("token")
def test_the_spool_lies_beside_the_databases_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////var/lib/studii/bot.db")
    assert Settings.read().folder == Path("/var/lib/studii")
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:pass@db/studii")
    assert Settings.read().folder == Path("data")


@pytest.mark.usefixtures("token")
def test_no_secret_shows_when_the_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:database-password@db/studii")
    monkeypatch.setenv("ENCRYPTION_KEYS", "encryption-secret")
    printed = repr(Settings.read())
    assert not any(secret in printed for secret in (TOKEN, "database-password", "encryption-secret"))


def test_no_secret_shows_in_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("DATABASE_URL", "mysql://bot:database-password@db/studii")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert "database-password" not in str(caught.value)
    assert caught.value.__cause__ is None
