"""The settings, and the only place that reads the environment and `.env`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import SettingsError

MEGABYTE = 1_000_000  # bytes: what the settings in megabytes mean

_POSTGRESQL = "postgresql+asyncpg"
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": _POSTGRESQL, "postgres": _POSTGRESQL}


class Settings(BaseSettings):
    """What the operator may set; `.env.example` explains each."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    discord_token: SecretStr
    # Not in the repr: it may hold a password. The default is checked like any other value.
    database_url: Annotated[str, Field(repr=False, validate_default=True)] = "sqlite:///data/studii.db"
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    studii_api_url: str = "https://studii.tech/api/v1"
    studii_tools_file: Path | None = None
    message_content: Literal["auto", "off"] = "auto"
    max_source_mb: Annotated[int, Field(ge=1, le=500)] = 25
    spool_mb: Annotated[int, Field(ge=50)] = 2000
    keep_prompts_days: Annotated[int, Field(ge=1, le=3650)] = 90
    health_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    health_address: str = "127.0.0.1"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    dev_guild_id: Annotated[int, Field(gt=0)] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any, info: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()
            if not value and info.field_name != "discord_token":
                return cls.model_fields[info.field_name].get_default()
        return value

    @field_validator("discord_token")
    @classmethod
    def _token_is_there(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            raise ValueError("is empty; paste the token from your application's Bot page at Discord")
        if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("has a space, a line break or a letter in it that no token has; paste it alone")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
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
        if driver.startswith("sqlite") and url.database in {None, "", ":memory:"}:
            raise ValueError("needs a file: sqlite:///data/studii.db")
        if driver == _POSTGRESQL:
            url = _in_asyncpgs_words(url)
        return url.set(drivername=driver).render_as_string(hide_password=False)

    @field_validator("studii_api_url")
    @classmethod
    def _api_address(cls, value: str) -> str:
        parts = urlsplit(value)
        beside = parts.query or parts.fragment or parts.username or parts.password
        if parts.scheme not in {"https", "http"} or not parts.hostname or beside:
            raise ValueError("must be an address such as https://studii.tech/api/v1")
        return value.rstrip("/")

    @classmethod
    def read(cls, **values: Any) -> Self:
        """Read the environment and `.env`; `values` come before both.

        Raises `SettingsError`: one line that names every wrong setting.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            wrong = error.errors(include_input=False)
            raise SettingsError(" ".join(_complaint({**one}) for one in wrong)) from None

    @property
    def database(self) -> URL:
        """The database's address, in SQLAlchemy's terms."""
        return make_url(self.database_url)

    @property
    def folder(self) -> Path:
        """Where the spool and a key file of our own live: beside the database's file, else `data/`."""
        if self.database.get_backend_name() == "sqlite":
            return Path(str(self.database.database)).parent
        return Path("data")


def _in_asyncpgs_words(url: URL) -> URL:
    """The address with libpq's options, as hosting providers print them, in asyncpg's words."""
    options = dict(url.query)
    # asyncpg settles the binding by itself.
    options.pop("channel_binding", None)
    if (mode := options.pop("sslmode", None)) is not None:
        options["ssl"] = mode
    if unknown := sorted(options.keys() - {"ssl"}):
        raise ValueError(f"has the option {unknown[0]!r}, which is not known here; leave it out")
    return url.set(query=options)


# By pydantic's names of what can be wrong ("Validation Errors" in its manual).
_REASONS: Mapping[str, str] = {
    "missing": "is not set",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is far too large a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}


def _complaint(wrong: Mapping[str, Any]) -> str:
    where, kind, message = wrong["loc"], wrong["type"], wrong["msg"]
    known = _REASONS.get(kind)
    reason = known.format(**wrong.get("ctx", {})) if known else re.sub(r"^Value error, ", "", message)
    name = str(where[0]).upper() if where else "A setting"
    sentence = f"{name} {reason[0].lower()}{reason[1:]}."
    if kind == "missing" and name == "DISCORD_TOKEN":
        sentence += " Copy .env.example to .env and fill it in."
    return sentence
