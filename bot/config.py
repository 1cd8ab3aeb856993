"""The settings, from the environment and `.env`."""

import os
import re
import stat
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.aio.host_names import is_host
from bot.aio.proxy import Proxy
from bot.aio.public_hosts import is_loopback
from bot.aio.urls import absolute_address
from bot.config_base import HealthSettings, SettingsBase

MEGABYTE = 1_000_000  # bytes, for settings in megabytes
MAX_SECRET_BYTES = 65_536  # that a file with a secret may have
MAX_FILE_NAME_BYTES = 200  # file systems have 255, and names of files beside the database are longer

# Part of the messages about an invalid token.
LOOKS_LIKE = "It's the long one with two dots in it, not the application's id, public key or client secret"

_POSTGRESQL = "postgresql+asyncpg"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": _POSTGRESQL, "postgres": _POSTGRESQL}


class StorageSettings(SettingsBase):
    """The settings of the database, which backup, restore and rotate-keys read."""

    # Not in the repr, as it may contain a password. The default is validated like other values.
    database_url: Annotated[str, Field(repr=False, validate_default=True)] = "sqlite:///data/studii.db"
    # Each secret's file comes before it, so that it is known when the secret is validated.
    encryption_keys_file: Path | None = None
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode, Field(validate_default=True)] = ()

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _split(cls, value: Any, info: ValidationInfo) -> Any:
        value = _from_file(value, info)
        return tuple(part for part in re.split(r"[,\s]+", value) if part) if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _one_driver_per_database(cls, value: str) -> str:
        try:
            url = make_url(value)
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

    @property
    def database(self) -> URL:
        """The database's URL, as SQLAlchemy's."""
        return make_url(self.database_url)

    @property
    def folder(self) -> Path:
        """The folder of the spool and the key file: that of the database's file, else `data/`."""
        if self.database.get_backend_name() == "sqlite":
            return Path(str(self.database.database)).parent
        return Path("data")

    @property
    def spool_folder(self) -> Path:
        """Where photos and outputs are kept until they are posted."""
        return self.folder / "spool"

    @property
    def deferrals_folder(self) -> Path:
        """Where interactions are kept whose answer takes long, so that a restart can answer them."""
        return self.folder / "deferrals"

    @property
    def keys_setting(self) -> str:
        """Where the encryption keys are set: the setting, with the file that it names."""
        file = self.encryption_keys_file
        return "ENCRYPTION_KEYS" if file is None else f"ENCRYPTION_KEYS_FILE ({file})"

    @property
    def key_file(self) -> Path:
        """The file with the encryption keys, used without ENCRYPTION_KEYS."""
        return self.folder / "encryption.key"


class Settings(StorageSettings, HealthSettings):
    """All settings. `.env.example` explains each."""

    discord_token_file: Path | None = None
    discord_token: Annotated[SecretStr, Field(default=None, validate_default=True)]
    https_proxy: SecretStr | None = None  # it may hold a password
    no_proxy: str = ""
    studii_allow_http: bool = False  # before the URL, so that it is known when that is validated
    studii_api_url: str = "https://studii.tech/api/v1"
    studii_tools_file: Path | None = None
    message_content: Literal["auto", "off"] = "auto"
    max_source_mb: Annotated[int, Field(ge=1, le=500)] = 25
    spool_mb: Annotated[int, Field(ge=50)] = 2000
    keep_prompts_days: Annotated[int, Field(ge=1, le=3650)] = 90
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    dev_guild_id: Annotated[int, Field(gt=0)] | None = None
    shard_count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    shards_per_process: Annotated[int, Field(ge=1)] | None = None

    @field_validator("discord_token", mode="before")
    @classmethod
    def _token(cls, value: Any, info: ValidationInfo) -> Any:
        value = _from_file(value, info)
        if value is None:
            raise ValueError("isn't set. Copy .env.example to .env and fill it in")
        token = value.get_secret_value() if isinstance(value, SecretStr) else str(value).strip()
        if not token:
            raise ValueError("is empty. Paste the token from your application's Bot page at Discord")
        if not re.fullmatch(r"[!-~]+", token):
            raise ValueError("has a space, a line break or a letter that no token has. Paste only the token")
        if token.count(".") != 2 or not all(token.split(".")):
            raise ValueError(f"isn't a bot token. {LOOKS_LIKE}")
        return token

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("https_proxy")
    @classmethod
    def _proxy_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Proxy.parse(value.get_secret_value())
        return value

    @field_validator("shard_count", "shards_per_process")
    @classmethod
    def _of_several_processes(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and str(info.data.get("database_url", "")).startswith("sqlite"):
            raise ValueError(
                "is for several processes, which need PostgreSQL. Leave it empty, or change DATABASE_URL"
            )
        shards = info.data.get("shard_count")
        if info.field_name == "shards_per_process" and value and shards and value > shards:
            raise ValueError(
                f"is {value}, but there are only {shards} shards (SHARD_COUNT). Lower it, or leave it empty: "
                "then one process serves all"
            )
        return value

    @field_validator("studii_api_url")
    @classmethod
    def _api_address(cls, value: str, info: ValidationInfo) -> str:
        url = absolute_address(value)
        if url is None or url.raw_query_string or url.raw_fragment:
            raise ValueError("must be an address such as https://studii.tech/api/v1")
        allowed = url.scheme == "https" or info.data.get("studii_allow_http") or is_loopback(url.host or "")
        if not allowed:
            raise ValueError(
                "must begin with https://, or others on the network can read the keys. For a private "
                "network of your own, set STUDII_ALLOW_HTTP=true"
            )
        return value.rstrip("/")

    @property
    def proxy(self) -> Proxy | None:
        """The proxy to Discord and Studii, or None."""
        if self.https_proxy is None:
            return None
        return Proxy.parse(self.https_proxy.get_secret_value(), self.no_proxy)


def _from_file(value: Any, info: ValidationInfo) -> Any:
    """Return the value, or the content of the file in the setting NAME_FILE."""
    name = f"{info.field_name}_file"
    path: Path | None = info.data.get(name)
    if path is None:
        return value
    if value.strip() if isinstance(value, str) else value:
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
    # Opening a pipe would wait for whoever writes into it.
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
