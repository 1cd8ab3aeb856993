"""The settings, from the environment and `.env`."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.aio.net import Proxy, absolute_address, is_loopback
from bot.config_base import HealthSettings, Known, SettingsBase, read_by, setting, written
from bot.validation import Secret, is_host, one_of, truth, whole

MEGABYTE = 1_000_000  # bytes, in settings and in what people read
MAX_SECRET_BYTES = 65_536  # that a file with a secret may have
MAX_FILE_NAME_BYTES = 200  # file systems have 255, and names of files beside the database are longer

# Part of the messages about an invalid token.
LOOKS_LIKE = "It's the long one with two dots in it, not the application's id, public key or client secret"

_POSTGRESQL = "postgresql+asyncpg"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": _POSTGRESQL, "postgres": _POSTGRESQL}


def _path(value: object) -> Path:
    return Path(written(value))


def _database_url(value: object) -> str:
    try:
        url = make_url(written(value))
    except ArgumentError:
        examples = "sqlite:///data/studii.db or postgresql://user:password@host/name"
        raise ValueError(f"must look like {examples}") from None
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise ValueError(f"{url.get_backend_name()} is not supported; use sqlite or postgresql")
    if driver.startswith("sqlite"):
        _ensure_a_file(url)
    else:
        _ensure_a_server(url)
        url = _in_asyncpgs_words(url)
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _encryption_keys(text: str | None, known: Known) -> tuple[Secret, ...]:
    found = _secret_of("encryption_keys", text, known) or ""
    return tuple(Secret(part) for part in re.split(r"[,\s]+", found) if part)


@dataclass(frozen=True, kw_only=True)
class StorageSettings(SettingsBase):
    """The settings of the database, which backup, restore and rotate-keys read."""

    # Not shown, as it may contain a password.
    database_url: str = setting(_database_url, "sqlite:///data/studii.db", shown=False)
    # Each secret's file comes before it, so that it is known when the secret is read.
    encryption_keys_file: Path | None = setting(_path)
    encryption_keys: tuple[Secret, ...] = read_by(_encryption_keys)

    @property
    def database(self) -> URL:
        """Return the database's URL, as SQLAlchemy's."""
        return make_url(self.database_url)

    @property
    def folder(self) -> Path:
        """Return the folder of the spool and the key file: that of the database's file, else `data/`."""
        if self.database.get_backend_name() == "sqlite":
            return Path(str(self.database.database)).parent
        return Path("data")

    @property
    def spool_folder(self) -> Path:
        """Return where photos and outputs are kept until they are posted."""
        return self.folder / "spool"

    @property
    def deferrals_folder(self) -> Path:
        """Return where interactions are kept whose answer takes long, so that a restart can answer them."""
        return self.folder / "deferrals"

    @property
    def keys_setting(self) -> str:
        """Return where the encryption keys are set: the setting, with the file that it names."""
        file = self.encryption_keys_file
        return "ENCRYPTION_KEYS" if file is None else f"ENCRYPTION_KEYS_FILE ({file})"

    @property
    def key_file(self) -> Path:
        """Return the file with the encryption keys, used without ENCRYPTION_KEYS."""
        return self.folder / "encryption.key"


def _token(text: str | None, known: Known) -> Secret:
    token = _secret_of("discord_token", text, known)
    if token is None:
        raise ValueError("isn't set. Copy .env.example to .env and fill it in")
    if not token:
        raise ValueError("is empty. Paste the token from your application's Bot page at Discord")
    if not re.fullmatch(r"[!-~]+", token):
        raise ValueError("has a space, a line break or a letter that no token has. Paste only the token")
    if token.count(".") != 2 or not all(token.split(".")):
        raise ValueError(f"isn't a bot token. {LOOKS_LIKE}")
    return Secret(token)


def _proxy_address(value: object) -> Secret:
    Proxy.parse(written(value))
    return Secret(written(value))


def _api_address(value: str, known: Known) -> str:
    url = absolute_address(value)
    if url is None or url.raw_query_string or url.raw_fragment:
        raise ValueError("must be an address such as https://studii.tech/api/v1")
    if url.scheme != "https" and not known.get("studii_allow_http") and not is_loopback(url.host or ""):
        raise ValueError(
            "must begin with https://, or others on the network can read the keys. For a private "
            "network of your own, set STUDII_ALLOW_HTTP=true"
        )
    return value.rstrip("/")


def _log_level(value: object) -> str:
    return one_of(("DEBUG", "INFO", "WARNING", "ERROR"))(written(value).upper())


def _for_several_processes(value: int, known: Known) -> int:
    if str(known.get("database_url", "")).startswith("sqlite"):
        raise ValueError(
            "is for several processes, which need PostgreSQL. Leave it empty, or change DATABASE_URL"
        )
    return value


def _shards_of_one(value: int, known: Known) -> int:
    shards = known.get("shard_count")
    if shards and _for_several_processes(value, known) > shards:
        raise ValueError(
            f"is {value}, but there are only {shards} shards (SHARD_COUNT). Lower it, or leave it empty: "
            "then one process serves all"
        )
    return _for_several_processes(value, known)


@dataclass(frozen=True, kw_only=True)
class Settings(StorageSettings, HealthSettings):
    """All settings. `.env.example` explains each."""

    discord_token_file: Path | None = setting(_path)
    discord_token: Secret = read_by(_token)
    https_proxy: Secret | None = setting(_proxy_address)  # it may hold a password
    no_proxy: str = setting(written, "")
    studii_allow_http: bool = setting(truth, "false")  # before the URL, whose check asks for it
    studii_api_url: str = setting(written, "https://studii.tech/api/v1", then=_api_address)
    studii_tools_file: Path | None = setting(_path)
    message_content: Literal["auto", "off"] = setting(one_of(("auto", "off")), "auto")
    max_source_mb: int = setting(whole(1, 500), "25")
    spool_mb: int = setting(whole(50), "2000")
    keep_prompts_days: int = setting(whole(1, 3650), "90")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(_log_level, "INFO")
    log_format: Literal["text", "json"] = setting(one_of(("text", "json")), "text")
    dev_guild_id: int | None = setting(whole(1))
    shard_count: int | None = setting(whole(1, 10_000), then=_for_several_processes)
    shards_per_process: int | None = setting(whole(1), then=_shards_of_one)

    @property
    def proxy(self) -> Proxy | None:
        """Return the proxy to Discord and Studii, or None."""
        if self.https_proxy is None:
            return None
        return Proxy.parse(self.https_proxy.reveal(), self.no_proxy)


def _secret_of(setting_name: str, text: str | None, known: Known) -> str | None:
    """Return the text, or the content of the file in the setting NAME_FILE."""
    name = f"{setting_name}_file"
    path: Path | None = known.get(name)
    if path is None:
        return text
    if text:
        raise ValueError(f"and {name.upper()} are both set. Leave one of them empty")
    where = f"can't be read from {path} ({name.upper()})"
    try:
        content = _content(path)
    except FileNotFoundError:
        raise ValueError(f"{where}: the file doesn't exist. Create it, or name another one") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ValueError(f"{where}: {reason}. Let the user who runs this read it") from None
    if content is None:
        raise ValueError(f"{where}: it isn't a regular file. Write the secret into one")
    if len(content) > MAX_SECRET_BYTES:
        raise ValueError(f"{where}: the file is too long. It must hold only the secret")
    try:
        text = content.decode("utf-8-sig").strip(", \t\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{where}: it isn't text") from None
    if not text:
        raise ValueError(f"{where}: the file is empty. Write the secret into it") from None
    return text


def _content(path: Path) -> bytes | None:
    """Return the beginning of a regular file.

    None if it is something else, which may never end or never begin.
    """
    # Opening a pipe would wait for its writer.
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            return None
        with os.fdopen(opened, "rb", closefd=False) as file:
            return file.read(MAX_SECRET_BYTES + 1)
    finally:
        os.close(opened)


def _ensure_a_file(url: URL) -> None:
    if url.host:
        raise ValueError("names a host, but SQLite uses a file: sqlite:///data/studii.db")
    if url.database in {None, "", ":memory:"}:
        raise ValueError("needs a file: sqlite:///data/studii.db")
    if any(len(os.fsencode(part)) > MAX_FILE_NAME_BYTES for part in Path(str(url.database)).parts):
        raise ValueError(
            f"names a file or folder with more than {MAX_FILE_NAME_BYTES} bytes. Choose a shorter name"
        )


def _ensure_a_server(url: URL) -> None:
    if "@" in (url.host or ""):
        raise ValueError("has an @ in its user or password. Write it as %40")
    if url.host is not None and not is_host(url.host):
        raise ValueError("names an invalid host. It must look like postgresql://user:password@host/name")


def _in_asyncpgs_words(url: URL) -> URL:
    """Return a URL with libpq's options, as hosting providers show them, with asyncpg's options."""
    options = dict(url.query)
    # asyncpg negotiates the channel binding itself.
    options.pop("channel_binding", None)
    if (mode := options.pop("sslmode", None)) is not None:
        options["ssl"] = mode
    if unknown := sorted(options.keys() - {"ssl", "prepared_statement_cache_size"}):
        raise ValueError(f"has the unknown option {unknown[0]!r}. Leave it out")
    return url.set(query=options)
