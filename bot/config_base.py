"""Read settings from the environment and `.env`; and the two that the health check needs.

Imports little, because a container's health check starts a process every minute.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Self, get_type_hints

import msgspec
from dotenv import dotenv_values
from msgspec import Meta

from bot.errors import SettingsError
from bot.validation import is_host

Known = Mapping[str, Any]  # the settings before one, by name, if they are right
Check = Callable[[Any, Known], Any]


def setting(
    default: object = None,
    wanted: str = "",
    check: Check | None = None,
    *,
    kind: Any = None,
    shown: bool = True,
) -> Any:
    """Return the field of a setting.

    An unset setting has its default. `wanted` says in a complaint what else it must be than what was written.
    `check` returns the value to use, and knows those before it; it may quote no secret in its ValueError.
    What is written is read as a `kind`, by default the field's own type.
    """
    return field(default=default, repr=shown, metadata={"wanted": wanted, "check": check, "kind": kind})


@dataclass(frozen=True, kw_only=True)
class SettingsBase:
    """Reads its fields from the environment and `.env`. Empty values are replaced by defaults."""

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the names of all settings, in small letters."""
        return frozenset(one.name for one in fields(cls))

    @classmethod
    def read(cls, **values: str) -> Self:
        """Read the environment and `.env`. `values` override both.

        Raises `SettingsError`: one line that names every wrong setting.
        """
        made, wrong = cls._checked({**_dotenv(), **_environment(), **values})
        if wrong:
            raise SettingsError(" ".join(wrong.values()))
        return made

    @classmethod
    def read_leniently(cls, **values: str) -> tuple[Self, dict[str, str]]:
        """Read what can be read: a wrong setting has its default, and a sentence in the mapping (by the
        field's name) says what is wrong with it. If `.env` can't be read, that is what is wrong with each
        setting that the environment doesn't have.
        """
        given = {**_environment(), **values}
        try:
            return cls._checked({**_dotenv(), **given})
        except SettingsError as error:
            made, wrong = cls._checked(given)
            return made, wrong | dict.fromkeys(cls.names() - given.keys(), str(error))

    @classmethod
    def _checked(cls, given: Mapping[str, str | None]) -> tuple[Self, dict[str, str]]:
        """Return the settings, and a sentence for each that is wrong and has its default therefore."""
        known: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        kinds = get_type_hints(cls, include_extras=True)
        for one in fields(cls):
            check, kind = one.metadata["check"], one.metadata["kind"] or kinds[one.name]
            value, written = one.default, (given.get(one.name) or "").strip()
            try:
                if written:
                    value = msgspec.convert(written, kind, strict=False, dec_hook=_made)
                known[one.name] = value if check is None else check(value, known)
            except ValueError as error:
                reason = one.metadata["wanted"] if isinstance(error, msgspec.ValidationError) else str(error)
                wrong[one.name] = f"{one.name.upper()} {reason}."
        return cls(**known), wrong


def _made(kind: Callable[[str], Any], written: str) -> Any:
    """Make a path or a secret, which msgspec doesn't know."""
    return kind(written)


def _environment() -> dict[str, str]:
    return {name.lower(): value for name, value in os.environ.items()}


def _dotenv() -> dict[str, str | None]:
    file = Path(".env")
    try:
        if not file.is_file() and not file.is_fifo():
            return {}
        return {name.lower(): value for name, value in dotenv_values(file, encoding="utf-8").items()}
    except UnicodeDecodeError:
        raise SettingsError("The file .env isn't UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SettingsError(
            f"The file .env can't be read ({reason}). Let the user who runs this read it, or remove it."
        ) from None


def _host(value: str, _: Known) -> str:
    if not is_host(value):
        raise ValueError("must be an address of this machine, such as 127.0.0.1")
    return value


@dataclass(frozen=True, kw_only=True)
class HealthSettings(SettingsBase):
    """The address of the health server, which `python -m bot health` asks."""

    health_port: Annotated[int, Meta(ge=0, le=65535)] | None = setting(
        wanted="must be a whole number from 0 to 65535"
    )
    health_address: str = setting("127.0.0.1", check=_host)
