"""Read settings from the environment and `.env`; and the two that the health check needs.

Imports little, because a container's health check starts a process every minute.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeVar

from dotenv import dotenv_values

from bot.errors import SettingsError
from bot.validation import Check, is_host, whole

_T = TypeVar("_T")
Known = Mapping[str, Any]  # the settings before one, by name, if they are right

# Replaces a missing or invalid token when the other settings are still useful.
_STAND_INS = {"discord_token": "no.token.here"}


def setting(
    check: Check[_T],
    default: str | None = None,
    *,
    then: Callable[[_T, Known], _T] | None = None,
    shown: bool = True,
) -> Any:
    """Return the field of a setting.

    `default` is what an operator would write; without one, an unset setting is None. `then` checks a setting
    together with those before it. Neither may quote a secret in its ValueError.
    """

    def read(written: str | None, known: Known) -> _T | None:
        written = written or default
        if written is None:
            return None
        value = check(written)
        return value if then is None else then(value, known)

    return read_by(read, shown=shown)


def read_by(read: Callable[[str | None, Known], object], *, shown: bool = True) -> Any:
    """Return the field of a setting that is read also where it is unset (None) or empty."""
    return field(repr=shown, metadata={"read": read})


def written(value: object) -> str:
    """Return a setting that may be anything, as it was written."""
    return str(value)


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
        known, wrong = cls._checked({**_dotenv(), **_environment(), **values})
        if wrong:
            raise SettingsError(" ".join(wrong.values()))
        return cls(**known)

    @classmethod
    def read_leniently(cls, **values: str) -> tuple[Self, dict[str, str]]:
        """Read what can be read: a wrong setting has its default, and a sentence in the mapping (by the
        field's name) says what is wrong with it. If `.env` can't be read, that is what is wrong with each
        setting that the environment doesn't have.
        """
        given = {**_environment(), **values}
        wrong: dict[str, str] = {}
        try:
            given = {**_dotenv(), **given}
        except SettingsError as error:
            unknown = (one.name for one in fields(cls) if one.name not in given)
            wrong = dict.fromkeys(unknown, str(error))
        while True:
            # A secret's file is part of its setting.
            left_out = wrong.keys() | {f"{name}_file" for name in wrong}
            kept = {name: value for name, value in given.items() if name not in left_out}
            stand_ins = {name: _STAND_INS[name] for name in wrong if name in _STAND_INS}
            known, found = cls._checked({**kept, **stand_ins})
            if not found:
                return cls(**known), wrong
            if not found.keys() - wrong.keys():
                raise SettingsError(" ".join(found.values()))
            wrong |= found

    @classmethod
    def _checked(cls, given: Mapping[str, str | None]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the settings that are right, and a sentence for each other one."""
        known: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for one in fields(cls):
            text = given.get(one.name)
            try:
                known[one.name] = one.metadata["read"](None if text is None else text.strip(), known)
            except ValueError as error:
                reason = str(error)
                wrong[one.name] = f"{one.name.upper()} {reason[0].lower()}{reason[1:]}."
        return known, wrong


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


def _host(value: object) -> str:
    if not isinstance(value, str) or not is_host(value):
        raise ValueError("must be an address of this machine, such as 127.0.0.1")
    return value


@dataclass(frozen=True, kw_only=True)
class HealthSettings(SettingsBase):
    """The address of the health server, which `python -m bot health` asks."""

    health_port: int | None = setting(whole(0, 65535))
    health_address: str = setting(_host, "127.0.0.1")
