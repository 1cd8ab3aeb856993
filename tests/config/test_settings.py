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
    assert settings.encryption_keys == ()
    assert settings.studii_tools_file is None
    assert (settings.max_source_mb, settings.message_content) == (25, "auto")
    assert (settings.log_level, settings.log_format, settings.dev_guild_id) == ("INFO", "text", None)
    assert settings.folder == Path("data")


@pytest.mark.promise
def test_a_dotenv_file_is_read_and_the_environment_comes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = 'DISCORD_TOKEN="from.the.file"\nMAX_SOURCE_MB=10\nSPOOL_MB=100\nSOMETHING_ELSE=1\n'
    (tmp_path / ".env").write_text(lines, encoding="utf-8")
    monkeypatch.setenv("SPOOL_MB", "200")
    settings = Settings.read()
    assert settings.discord_token.reveal() == "from.the.file"
    assert (settings.max_source_mb, settings.spool_mb) == (10, 200)


@pytest.mark.usefixtures("token")
def test_settings_left_empty_have_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.names() - {"discord_token"}:
        monkeypatch.setenv(name.upper(), " ")
    emptied = Settings.read()
    for name in Settings.names() - {"discord_token"}:
        monkeypatch.delenv(name.upper())
    assert emptied == Settings.read()


@pytest.mark.promise
@pytest.mark.usefixtures("token")
def test_the_example_settings_are_taken_as_they_are(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    lines = example.read_text(encoding="utf-8")
    named = {line.split("=")[0].lower() for line in lines.splitlines() if line and line[0] != "#"}
    assert named == Settings.names()
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
def test_the_log_level_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert Settings.read().log_level == "DEBUG"


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.8.8.8", "localhost", "[::1]:8080"])
def test_the_api_on_this_machine_may_be_asked_over_http(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("STUDII_API_URL", f"http://{host}/api/v1")
    assert Settings.read().studii_api_url == f"http://{host}/api/v1"


@pytest.mark.usefixtures("token")
def test_an_api_elsewhere_is_asked_over_http_if_the_operator_allows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STUDII_API_URL", "http://studii-mirror:8080/api/v1")
    monkeypatch.setenv("STUDII_ALLOW_HTTP", "true")
    assert Settings.read().studii_api_url == "http://studii-mirror:8080/api/v1"


@pytest.mark.usefixtures("token")
def test_a_slash_behind_the_api_address_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDII_API_URL", "http://127.0.0.1:8080/api/v1/")
    assert Settings.read().studii_api_url == "http://127.0.0.1:8080/api/v1"


@pytest.mark.usefixtures("token")
def test_several_encryption_keys_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "newest, older\nold")
    keys = Settings.read().encryption_keys
    assert [key.reveal() for key in keys] == ["newest", "older", "old"]


@pytest.mark.usefixtures("token")
def test_the_spool_lies_beside_the_databases_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////var/lib/studii/bot.db")
    assert Settings.read().folder == Path("/var/lib/studii")
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:pass@db/studii")
    assert Settings.read().folder == Path("data")


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("written", ["100", " 100 ", "100.0"])
def test_a_whole_number_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("SPOOL_MB", written)
    assert Settings.read().spool_mb == 100


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("written", ["1", "true", "True"])
def test_yes_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("STUDII_ALLOW_HTTP", written)
    assert Settings.read().studii_allow_http


def test_names_of_settings_may_be_written_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"discord_token={TOKEN}\nSPOOL_MB\n")
    monkeypatch.setenv("max_source_mb", "9")
    settings = Settings.read()
    assert (settings.discord_token.reveal(), settings.max_source_mb, settings.spool_mb) == (TOKEN, 9, 2000)
