"""The settings: what the operator may write, and the one line that tells what is wrong."""

import os
from pathlib import Path

import pytest

from bot.config import MAX_SECRET_BYTES, Settings, StorageSettings
from bot.errors import SettingsError

TOKEN = "discord.token.for-tests"
HTTP = (
    "must begin with https://, or others on the network can read the keys. For a private "
    "network of your own, set STUDII_ALLOW_HTTP=true."
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine reaches the tests: an empty folder, and none of our variables."""
    monkeypatch.chdir(tmp_path)
    ours = Settings.names()
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
    assert settings.discord_token.reveal() == TOKEN
    assert settings.database_url == "sqlite+aiosqlite:///data/studii.db"
    assert settings.studii_api_url == "https://studii.tech/api/v1"
    assert settings.encryption_keys == ()
    assert settings.studii_tools_file is None
    assert (settings.max_source_mb, settings.message_content) == (25, "auto")
    assert (settings.log_level, settings.log_format, settings.dev_guild_id) == ("INFO", "text", None)
    assert settings.folder == Path("data")


def test_a_missing_token_says_how_to_begin() -> None:
    assert complaint() == "DISCORD_TOKEN isn't set. Copy .env.example to .env and fill it in."


@pytest.mark.parametrize("blank", ["", "   "])
def test_an_empty_token_says_where_to_get_one(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", blank)
    expected = "DISCORD_TOKEN is empty. Paste the token from your application's Bot page at Discord."
    assert complaint() == expected


@pytest.mark.parametrize("other", ["1100000000000000001", "sandbox.token", "a..c", "0f" * 32])
def test_what_is_no_token_is_found_without_a_network(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", other)
    assert complaint() == (
        "DISCORD_TOKEN isn't a bot token. It's the long one with two dots in it, not the "
        "application's id, public key or client secret."
    )


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


@pytest.mark.usefixtures("token")
def test_the_example_settings_are_taken_as_they_are(tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / ".env.example"
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
        ("DEV_GUILD_ID", "-5", "must be at least 1."),
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
        (
            "DATABASE_URL",
            "postgresql://a..b/db",
            "names an invalid host. It must look like postgresql://user:password@host/name.",
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
        ("STUDII_ALLOW_HTTP", "perhaps", "must be true or false."),
        ("MAX_SOURCE_MB", "0", "must be at least 1."),
        ("SPOOL_MB", "10", "must be at least 50."),
        ("LOG_LEVEL", "loud", "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'."),
        ("LOG_FORMAT", "xml", "must be 'text' or 'json'."),
        ("MESSAGE_CONTENT", "yes", "must be 'auto' or 'off'."),
        ("DEV_GUILD_ID", "my server", "must be a whole number."),
        ("HEALTH_PORT", "65536", "must be at most 65535."),
        ("HEALTH_PORT", "80.5", "must be a whole number."),
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


def test_all_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_MB", "lots")
    line = complaint()
    assert "DISCORD_TOKEN isn't set." in line
    assert "SPOOL_MB must be a whole number." in line


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
def test_no_secret_shows_when_the_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:database-password@db/studii")
    monkeypatch.setenv("ENCRYPTION_KEYS", "encryption-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://maya:proxy-password@proxy:3128")
    settings = Settings.read()
    printed = repr(settings) + repr(settings.proxy)
    secrets = (TOKEN, "database-password", "encryption-secret", "proxy-password", "bWF5")
    assert not any(secret in printed for secret in secrets)


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


@pytest.fixture
def other_secrets(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A token in the environment for tests of the other secret."""
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    return monkeypatch


@pytest.mark.parametrize(("name", "secret"), SECRETS)
@pytest.mark.parametrize("written", ["{}", "{}\n", "\ufeff{}\r\n"])
def test_a_secret_can_come_from_a_file(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path, name: str, secret: str, written: str
) -> None:
    (tmp_path / "secret").write_bytes(written.format(secret).encode())
    other_secrets.setenv(f"{name}_FILE", "secret")
    other_secrets.setenv(name, "")  # as .env.example leaves it
    settings = Settings.read()
    assert revealed(settings, name) == secret
    assert secret not in repr(settings)


@pytest.mark.parametrize(("name", "secret"), SECRETS)
def test_a_secret_comes_from_one_place(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path, name: str, secret: str
) -> None:
    (tmp_path / "secret").write_text(secret)
    other_secrets.setenv(f"{name}_FILE", "secret")
    other_secrets.setenv(name, secret)
    assert complaint() == f"{name} and {name}_FILE are both set. Leave one of them empty."


@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "ENCRYPTION_KEYS"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, ": the file doesn't exist. Create it, or name another one."),
        (b"", ": the file is empty. Write the secret into it."),
        (b" ,\n", ": the file is empty. Write the secret into it."),
        (b"\xff\xfe\x00", ": it isn't text."),
        (b"x" * (MAX_SECRET_BYTES + 1), ": the file is too long. It must hold only the secret."),
    ],
)
def test_a_secrets_file_that_is_of_no_use_is_named(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    other_secrets.delenv(name, raising=False)
    other_secrets.setenv(f"{name}_FILE", "secret")
    line = complaint()
    assert line.startswith(f"{name} can't be read from secret ({name}_FILE)")
    assert line.endswith(reason)


def test_a_secrets_file_that_may_not_be_read_says_who_needs_to(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other_secrets.setenv("ENCRYPTION_KEYS_FILE", str(tmp_path))  # a folder: modes do not stop root
    assert "it isn't a regular file. Write the secret into one." in complaint()


def test_a_pipe_in_the_place_of_a_secrets_file_is_not_waited_for(
    other_secrets: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "secret")
    other_secrets.setenv("ENCRYPTION_KEYS_FILE", "secret")
    assert "it isn't a regular file" in complaint()


@pytest.mark.parametrize(("name", "secret"), SECRETS)
def test_what_is_right_can_be_had_although_a_secrets_file_is_missing(
    other_secrets: pytest.MonkeyPatch, name: str, secret: str
) -> None:
    del secret
    other_secrets.setenv(name, "")
    other_secrets.setenv(f"{name}_FILE", "nope")
    _, wrong = Settings.read_leniently()
    assert wrong.keys() == {name.lower()}
    assert "the file doesn't exist" in wrong[name.lower()]


@pytest.mark.usefixtures("token")
def test_what_is_right_can_be_had_although_the_dotenv_file_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(b"\xff")
    monkeypatch.setenv("SPOOL_MB", "100")
    settings, wrong = Settings.read_leniently()
    assert settings.spool_mb == 100
    assert set(wrong.values()) == {"The file .env isn't UTF-8 text. Save it as UTF-8."}
    assert {"database_url", "encryption_keys"} < wrong.keys()
    assert not {"spool_mb", "discord_token"} & wrong.keys()


def test_what_works_on_files_alone_needs_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_MB", "lots")
    assert StorageSettings.read().folder == Path("data")
    assert "DISCORD_TOKEN isn't set" in complaint()


def test_what_is_right_can_be_had_although_something_else_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_MB", "lots")
    monkeypatch.setenv("DATABASE_URL", "mysql://db/studii")
    monkeypatch.setenv("MAX_SOURCE_MB", "7")
    settings, wrong = Settings.read_leniently()
    assert wrong == {
        "discord_token": "DISCORD_TOKEN isn't set. Copy .env.example to .env and fill it in.",
        "spool_mb": "SPOOL_MB must be a whole number.",
        "database_url": "DATABASE_URL mysql is not supported; use sqlite or postgresql.",
    }
    assert (settings.max_source_mb, settings.spool_mb, settings.folder) == (7, 2000, Path("data"))


@pytest.mark.usefixtures("token")
def test_a_dotenv_file_that_is_no_text_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("SPOOL_MB=100 # größer\n".encode("latin-1"))
    assert complaint() == "The file .env isn't UTF-8 text. Save it as UTF-8."


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("written", ["100", "+100", "1_00", "100.0"])
def test_a_whole_number_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("SPOOL_MB", written)
    assert Settings.read().spool_mb == 100


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("written", "reason"), [("1e3", "must be a whole number"), ("9" * 500, "is too large")]
)
def test_what_is_no_number_that_can_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, written: str, reason: str
) -> None:
    monkeypatch.setenv("SPOOL_MB", written)
    assert complaint() == f"SPOOL_MB {reason}."


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("written", ["1", "on", "True", "YES"])
def test_yes_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("STUDII_ALLOW_HTTP", written)
    assert Settings.read().studii_allow_http


def test_names_of_settings_may_be_written_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"discord_token={TOKEN}\nSPOOL_MB\n")
    monkeypatch.setenv("max_source_mb", "9")
    settings = Settings.read()
    assert (settings.discord_token.reveal(), settings.max_source_mb, settings.spool_mb) == (TOKEN, 9, 2000)
