"""The settings, from the environment and `.env`."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.aio.net import Proxy, absolute_address, is_loopback
from bot.config_base import Check, HealthSettings, Known, SettingsBase, setting
from bot.validation import Secret, is_host

MEGABYTE = 1_000_000  # bytes, in settings and in what people read
MAX_SECRET_BYTES = 65_536  # that a file with a secret may have
MAX_FILE_NAME_BYTES = 200  # file systems have 255, and names of files beside the database are longer

# Part of the messages about an invalid token.
LOOKS_LIKE = "It's the long one with two dots in it, not the application's id, public key or client secret"

_POSTGRESQL = "postgresql+asyncpg"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": _POSTGRESQL, "postgres": _POSTGRESQL}
# Replaces a missing or invalid token when the other settings are still useful.
_STAND_IN = Secret("no.token.here")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def _database_url(written: str, _: Known) -> str:
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
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


def _encryption_keys(written: Secret | None, known: Known) -> tuple[Secret, ...]:
    found = _secret_of("encryption_keys", written or None, known)
    parts = [] if found is None else re.split(r"[,\s]+", found.reveal())
    return tuple(Secret(part) for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class StorageSettings(SettingsBase):
    """The settings of the database, which backup, restore and rotate-keys read."""

    # Not shown, as it may contain a password.
    database_url: str = setting("sqlite+aiosqlite:///data/studii.db", check=_database_url, shown=False)
    # Each secret's file comes before it, so that it is known when the secret is read.
    encryption_keys_file: Path | None = setting()
    encryption_keys: tuple[Secret, ...] = setting((), check=_encryption_keys, kind=Secret)

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
    def keys_setting(self) -> str:
        """Return where the encryption keys are set: the setting, with the file that it names."""
        file = self.encryption_keys_file
        return "ENCRYPTION_KEYS" if file is None else f"ENCRYPTION_KEYS_FILE ({file})"

    @property
    def key_file(self) -> Path:
        """Return the file with the encryption keys, used without ENCRYPTION_KEYS."""
        return self.folder / "encryption.key"


def _token(written: Secret, known: Known) -> Secret:
    secret = _secret_of("discord_token", None if written is _STAND_IN else written, known)
    if secret is None:
        raise ValueError(
            "isn't set. Copy .env.example to .env, and paste the token from your application's Bot page at "
            "Discord"
        )
    if not re.fullmatch(r"[!-~]+", secret.reveal()):
        raise ValueError("has a space, a line break or a letter that no token has. Paste only the token")
    if not re.fullmatch(r"[^.]+\.[^.]+\.[^.]+", secret.reveal()):
        raise ValueError(f"isn't a bot token. {LOOKS_LIKE}")
    return secret


def _proxy_address(written: Secret | None, _: Known) -> Secret | None:
    if written is not None:
        Proxy.parse(written.reveal())
    return written


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


def _log_level(value: str, _: Known) -> str:
    if value.upper() not in _LEVELS:
        raise ValueError(f"must be {', '.join(_LEVELS[:-1])} or {_LEVELS[-1]}")
    return value.upper()


def _for_several_processes(value: int | None, known: Known) -> int | None:
    if value is not None and known.get("database_url", "").startswith("sqlite"):
        raise ValueError(
            "is for several processes, which need PostgreSQL. Leave it empty, or change DATABASE_URL"
        )
    shards = known.get("shard_count")
    if value and shards and value > shards:
        raise ValueError(
            f"is {value}, but there are only {shards} shards (SHARD_COUNT). Lower it, or leave it empty: "
            "then one process serves all"
        )
    return value


def _number(default: int | None, least: int, most: int | None = None, check: Check | None = None) -> Any:
    """Return the field of a setting that is a whole number."""
    within = f"of at least {least}" if most is None else f"from {least} to {most}"
    kind = Annotated[int, Meta(ge=least, le=most)]
    return setting(default, f"must be a whole number {within}", check, kind=kind)


@dataclass(frozen=True, kw_only=True)
class Settings(StorageSettings, HealthSettings):
    """All settings. `.env.example` explains each."""

    discord_token_file: Path | None = setting()
    discord_token: Secret = setting(_STAND_IN, check=_token)
    https_proxy: Secret | None = setting(check=_proxy_address)  # it may hold a password
    no_proxy: str = setting("")
    # Before the URL, whose check asks for it.
    studii_allow_http: bool = setting(False, "must be true or false")
    studii_api_url: str = setting("https://studii.tech/api/v1", check=_api_address)
    studii_tools_file: Path | None = setting()
    message_content: Literal["auto", "off"] = setting("auto", "must be auto or off")
    max_source_mb: int = _number(25, 1, 500)
    spool_mb: int = _number(2000, 50)
    keep_prompts_days: int = _number(90, 1, 3650)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting("INFO", check=_log_level, kind=str)
    log_format: Literal["text", "json"] = setting("text", "must be text or json")
    dev_guild_id: int | None = _number(None, 1)
    shard_count: int | None = _number(None, 1, 10_000, _for_several_processes)
    shards_per_process: int | None = _number(None, 1, 10_000, _for_several_processes)

    @property
    def proxy(self) -> Proxy | None:
        """Return the proxy to Discord and Studii, or None."""
        if self.https_proxy is None:
            return None
        return Proxy.parse(self.https_proxy.reveal(), self.no_proxy)


def _secret_of(setting_name: str, written: Secret | None, known: Known) -> Secret | None:
    """Return what was written, or the content of the file in the setting NAME_FILE."""
    name = f"{setting_name}_file"
    path: Path | None = known.get(name)
    if path is None:
        return written
    if written:
        raise ValueError(f"and {name.upper()} are both set. Leave one of them empty")
    where = f"can't be read from {path} ({name.upper()})"
    try:
        text = _content(path).decode("utf-8-sig").strip(", \t\r\n")
    except FileNotFoundError:
        raise ValueError(f"{where}: the file doesn't exist. Create it, or name another one") from None
    except UnicodeDecodeError:
        raise ValueError(f"{where}: it isn't text") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ValueError(f"{where}: {reason}. Let the user who runs this read it") from None
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if not text:
        raise ValueError(f"{where}: the file is empty. Write the secret into it")
    return Secret(text)


def _content(path: Path) -> bytes:
    """Return the content of a regular file. Anything else may never end or never begin."""
    if path.exists() and not path.is_file():  # opening a pipe would wait for its writer
        raise ValueError("it isn't a regular file. Write the secret into one")
    with path.open("rb") as file:
        content = file.read(MAX_SECRET_BYTES + 1)
    if len(content) > MAX_SECRET_BYTES:
        raise ValueError("the file is too long. It must hold only the secret")
    return content


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
    if (url.host is not None and not is_host(url.host)) or not 0 < (url.port or 1) < 65536:
        like = "postgresql://user:password@host/name"
        raise ValueError(f"names an invalid host or port. It must look like {like}")


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
