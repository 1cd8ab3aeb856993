"""The settings, from the environment, `.env` and files: what they may be, and what is said of a mistake."""

import os
import traceback
from pathlib import Path

import pytest

from bot.config import MAX_SECRET_BYTES, Settings
from bot.errors import SettingsError
from bot.validation import Secret
from tests.support.process import without_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)


TOKEN = "discord.token.for-tests"


def complaint() -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    line = str(caught.value)
    assert "\n" not in line
    return line


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


HTTP = (
    "must begin with https://, or others on the network can read the keys. For a private "
    "network of your own, set STUDII_ALLOW_HTTP=true."
)


MISSING = (
    "DISCORD_TOKEN isn't set. Copy .env.example to .env, and paste the token from your application's Bot "
    "page at Discord."
)


@pytest.mark.promise
@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_missing_token_says_how_to_begin(monkeypatch: pytest.MonkeyPatch, blank: str | None) -> None:
    if blank is not None:
        monkeypatch.setenv("DISCORD_TOKEN", blank)
    assert complaint() == MISSING


@pytest.mark.parametrize("other", ["1100000000000000001", "sandbox.token", "a..c", "0f" * 32])
def test_what_is_no_token_is_found_without_a_network(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", other)
    assert complaint() == (
        "DISCORD_TOKEN isn't a bot token. It's the long one with two dots in it, not the "
        "application's id, public key or client secret."
    )


@pytest.mark.promise
@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "mysql://db/studii", "mysql is not supported; use sqlite or postgresql."),
        (
            "DATABASE_URL",
            "postgresql://db/s?hurry=yes",
            "has the unknown option 'hurry'. Leave it out.",
        ),
        (
            "STUDII_API_URL",
            "http://user:word@studii.tech/api/v1",
            "must be an address such as https://studii.tech/api/v1.",
        ),
        (
            "HTTPS_PROXY",
            "socks5://proxy:1080",
            "must be an address such as http://proxy.example:3128; other kinds don't work.",
        ),
        ("DEV_GUILD_ID", "-5", "must be a whole number of at least 1."),
        ("DATABASE_URL", "sqlite://", "needs a file: sqlite:///data/studii.db."),
        ("DATABASE_URL", "sqlite:///:memory:", "needs a file: sqlite:///data/studii.db."),
        (
            "DATABASE_URL",
            "studii.db",
            "must look like sqlite:///data/studii.db or postgresql://user:password@host/name.",
        ),
        ("STUDII_API_URL", "studii.tech/api/v1", "must be an address such as https://studii.tech/api/v1."),
        ("STUDII_API_URL", "ftp://studii.tech", "must be an address such as https://studii.tech/api/v1."),
        *(
            ("STUDII_API_URL", wrong, "must be an address such as https://studii.tech/api/v1.")
            for wrong in (
                *(
                    "https://x:99999/",
                    "https://x:abc/",
                    "https://x y/",
                    "https://exämple.com/",
                    "https://[::1/",
                ),
                *("https://a..b/", f"https://{'a' * 64}.com/", "https:///x", "https://x:0/"),
            )
        ),
        ("HTTPS_PROXY", "http://a..b:80", "must be an address such as http://proxy.example:3128."),
        ("HTTPS_PROXY", "http://a b:1", "must be an address such as http://proxy.example:3128."),
        ("HEALTH_ADDRESS", "a..b", "must be an address of this machine, such as 127.0.0.1."),
        ("HEALTH_ADDRESS", "a" * 70, "must be an address of this machine, such as 127.0.0.1."),
        *(
            (
                "DATABASE_URL",
                wrong,
                "must look like sqlite:///data/studii.db or postgresql://user:password@host/name.",
            )
            for wrong in ("postgresql://bot:pass@[::1/name", "postgresql://db:port/name")
        ),
        *(
            (
                "DATABASE_URL",
                wrong,
                "names an invalid host or port. It must look like postgresql://user:password@host/name.",
            )
            for wrong in ("postgresql://a..b/db", "postgresql://db:65536/name")
        ),
        (
            "DATABASE_URL",
            "postgresql://bot:pass@word@db/studii",
            "has an @ in its user or password. Write it as %40.",
        ),
        (
            "DATABASE_URL",
            "sqlite://host/x.db",
            "names a host, but SQLite uses a file: sqlite:///data/studii.db.",
        ),
        (
            "DATABASE_URL",
            f"sqlite:///{'a' * 300}.db",
            "names a file or folder with more than 200 bytes. Choose a shorter name.",
        ),
        ("STUDII_API_URL", "http://studii.tech/api/v1", HTTP),
        ("STUDII_API_URL", "http://10.0.0.5:8080/api/v1", HTTP),
        ("STUDII_API_URL", "http://localhost.studii.tech/api/v1", HTTP),
        *(("STUDII_ALLOW_HTTP", other, "must be true or false.") for other in ("perhaps", "on", "YES")),
        ("MAX_SOURCE_MB", "0", "must be a whole number from 1 to 500."),
        *(
            ("MAX_SOURCE_MB", other, "must be a whole number from 1 to 500.")
            for other in ("1e2", "1E2", "100.0", "1_00", "0x10", "0100", "+100", "1 00", "１００", "9" * 5000)
        ),
        *(
            ("HEALTH_PORT", other, "must be a whole number from 0 to 65535.")
            for other in ("8e3", "-0", "80.0")
        ),
        ("SPOOL_MB", "10", "must be a whole number of at least 50."),
        ("LOG_LEVEL", "loud", "must be DEBUG, INFO, WARNING or ERROR."),
        ("LOG_FORMAT", "xml", "must be text or json."),
        ("MESSAGE_CONTENT", "yes", "must be auto or off."),
        ("DEV_GUILD_ID", "my server", "must be a whole number of at least 1."),
        ("HEALTH_PORT", "65536", "must be a whole number from 0 to 65535."),
        ("HEALTH_PORT", "80.5", "must be a whole number from 0 to 65535."),
        *(
            (
                setting,
                "2",
                "is for several processes, which need PostgreSQL. Leave it empty, or change DATABASE_URL.",
            )
            for setting in ("SHARD_COUNT", "SHARDS_PER_PROCESS")
        ),
    ],
)
def test_a_wrong_setting_is_one_line_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    assert complaint() == f"{name} {expected}"


@pytest.mark.promise
@pytest.mark.usefixtures("token")
def test_a_process_takes_no_more_shards_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/studii")
    monkeypatch.setenv("SHARD_COUNT", "2")
    monkeypatch.setenv("SHARDS_PER_PROCESS", "2")
    assert Settings.read().shards_per_process == 2
    monkeypatch.setenv("SHARDS_PER_PROCESS", "3")
    assert complaint() == (
        "SHARDS_PER_PROCESS is 3, but there are only 2 shards (SHARD_COUNT). Lower it, or leave it empty: "
        "then one process serves all."
    )


@pytest.mark.promise
def test_all_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_MB", "lots")
    line = complaint()
    assert "DISCORD_TOKEN isn't set." in line
    assert "SPOOL_MB must be a whole number of at least 50." in line


def test_a_dotenv_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("MAX_SOURCE_MB=7 # größer\n".encode("latin-1"))
    assert complaint() == "The file .env isn't UTF-8 text. Save it as UTF-8."


def test_a_secret_shows_in_no_text_and_no_list_of_variables() -> None:
    secret = Secret("stu_hidden")
    shown = f"{secret} {secret!r} {[secret]}" + "".join(
        traceback.TracebackException(ValueError, ValueError(secret), None, capture_locals=True).format()
    )
    assert "hidden" not in shown
    assert secret.reveal() == "stu_hidden"
    assert secret == Secret("stu_hidden") != Secret("other")


@pytest.mark.usefixtures("token")
def test_no_secret_shows_when_the_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:database-password@db/studii")
    monkeypatch.setenv("ENCRYPTION_KEYS", "encryption-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://maya:proxy-password@proxy:3128")
    settings = Settings.read()
    printed = repr(settings) + repr(settings.proxy)
    secrets = (TOKEN, "database-password", "encryption-secret", "proxy-password", "bWF5")
    assert not any(secret in printed for secret in secrets)


@pytest.mark.promise
def test_no_secret_shows_in_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("DATABASE_URL", "mysql://bot:database-password@db/studii")
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    assert "database-password" not in str(caught.value)
    assert caught.value.__cause__ is None


SECRETS = [("DISCORD_TOKEN", TOKEN), ("ENCRYPTION_KEYS", "newest,older")]


def revealed(settings: Settings, name: str) -> str:
    if name == "DISCORD_TOKEN":
        return settings.discord_token.reveal()
    return ",".join(key.reveal() for key in settings.encryption_keys)


@pytest.mark.promise
@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(("name", "secret"), SECRETS)
@pytest.mark.parametrize("written", ["{}", "{}\n", "\ufeff{}\r\n"])
def test_a_secret_can_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, secret: str, written: str
) -> None:
    (tmp_path / "secret").write_bytes(written.format(secret).encode())
    monkeypatch.setenv(f"{name}_FILE", "secret")
    monkeypatch.setenv(name, "")  # as .env.example leaves it
    settings = Settings.read()
    assert revealed(settings, name) == secret
    assert secret not in repr(settings)
    monkeypatch.setenv(name, secret)
    assert complaint() == f"{name} and {name}_FILE are both set. Leave one of them empty."


@pytest.mark.promise
@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "ENCRYPTION_KEYS"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, ": the file doesn't exist. Create it, or name another one."),
        (b"", ": the file is empty. Write the secret into it."),
        (b" ,\n", ": the file is empty. Write the secret into it."),
        (b"\xff\xfe\x00", ": it isn't text."),
        (b"x" * (MAX_SECRET_BYTES + 1), ": the file is too long. It must hold only the secret."),
        ("a folder", ": it isn't a regular file. Write the secret into one."),
        ("a pipe", ": it isn't a regular file. Write the secret into one."),
    ],
)
def test_a_secrets_file_that_is_of_no_use_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | str | None, reason: str
) -> None:
    if isinstance(content, bytes):
        (tmp_path / "secret").write_bytes(content)
    elif content is not None:
        (os.mkfifo if content == "a pipe" else os.mkdir)(tmp_path / "secret")
    monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{name}_FILE", "secret")
    wanted = f"{name} can't be read from secret ({name}_FILE){reason}"
    assert complaint() == wanted
