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
    def read(cls, **values: str) -> Self:
        """Read the environment and `.env`. `values` override both.

        Raises `SettingsError`: one line that names every wrong setting.
        """
        given = {**_dotenv(), **{name.lower(): one for name, one in os.environ.items()}, **values}
        known: dict[str, Any] = {}
        wrong: list[str] = []
        kinds = get_type_hints(cls, include_extras=True)
        for one in fields(cls):
            check, kind = one.metadata["check"], one.metadata["kind"] or kinds[one.name]
            value, written = one.default, (given.get(one.name) or "").strip()
            try:
                if written:
                    # What msgspec doesn't know, a path or a secret, is made of the text.
                    value = msgspec.convert(
                        written, kind, strict=False, dec_hook=lambda made, text: made(text)
                    )
                    if type(value) is int and str(value) != written:  # it reads 1e2 and 100.0 as well
                        raise msgspec.ValidationError
                known[one.name] = value if check is None else check(value, known)
            except ValueError as error:
                reason = one.metadata["wanted"] if isinstance(error, msgspec.ValidationError) else str(error)
                wrong.append(f"{one.name.upper()} {reason}.")
        if wrong:
            raise SettingsError(" ".join(wrong))
        return cls(**known)


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
