"""A wrong setting is told in one line."""

from pathlib import Path

import pytest

from bot.config import Settings, StorageSettings
from tests.config.reading import complaint

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


def test_what_works_on_files_alone_needs_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_MB", "lots")
    assert StorageSettings.read().folder == Path("data")
