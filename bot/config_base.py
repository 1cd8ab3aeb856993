"""Read settings from the environment and `.env`; and the two that the health check needs.

Imports little, because a container's health check starts a process every minute.
"""

import os
import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.aio.host_names import is_host
from bot.errors import SettingsError

# Replaces a missing or invalid token when the other settings are still useful.
STAND_INS: Mapping[str, Any] = {"discord_token": "no.token.here"}


class SettingsBase(BaseSettings):
    """Reads its fields from the environment and `.env`. Empty values are replaced by defaults."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any, info: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()
            if not value and info.field_name != "discord_token":
                return cls.model_fields[info.field_name].get_default()
        return value

    @classmethod
    def read(cls, **values: Any) -> Self:
        """Read the environment and `.env`. `values` override both.

        Raises `SettingsError`: one line that names every wrong setting.
        """
        try:
            return cls._read(values)
        except ValidationError as error:
            raise SettingsError(" ".join(_complaints(error).values())) from None

    @classmethod
    def read_leniently(cls, **values: Any) -> tuple[Self, dict[str, str]]:
        """Read what can be read: a wrong setting has its default, and a sentence in the mapping (by the
        field's name) says what is wrong with it. If `.env` can't be read, that is what is wrong with each
        setting that the environment doesn't have.
        """
        wrong: dict[str, str] = {}
        try:
            cls._read(values)
        except ValidationError:
            pass
        except SettingsError as error:
            known = {name.lower() for name in os.environ} | values.keys()
            wrong = dict.fromkeys((name for name in cls.model_fields if name not in known), str(error))
            values = {**values, "_env_file": None}
        while True:
            try:
                return cls._read({**values, **cls._stand_ins(wrong)}), wrong
            except ValidationError as error:
                found = _complaints(error)
                if not found.keys() - wrong.keys():
                    raise SettingsError(" ".join(found.values())) from None
                wrong |= found

    @classmethod
    def _stand_ins(cls, wrong: Collection[str]) -> dict[str, Any]:
        """Return what replaces wrong settings; a secret's file is part of its setting."""
        fields = cls.model_fields
        stand_ins = {name: STAND_INS.get(name, fields[name].get_default()) for name in wrong}
        return stand_ins | {f"{name}_file": None for name in wrong if f"{name}_file" in fields}

    @classmethod
    def _read(cls, values: Mapping[str, Any]) -> Self:
        try:
            return cls(**values)
        except (OSError, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError):
                raise SettingsError("The file .env isn't UTF-8 text. Save it as UTF-8.") from None
            reason = (error.strerror or type(error).__name__).lower()
            raise SettingsError(
                f"The file .env can't be read ({reason}). Let the user who runs this read it, or remove it."
            ) from None


class HealthSettings(SettingsBase):
    """The address of the health server, which `python -m bot health` asks."""

    health_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    health_address: str = "127.0.0.1"

    @field_validator("health_address")
    @classmethod
    def _host(cls, value: str) -> str:
        if not is_host(value):
            raise ValueError("must be an address of this machine, such as 127.0.0.1")
        return value


# By pydantic's error types ("Validation Errors" in its manual).
_REASONS: Mapping[str, str] = {
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}


def _complaints(error: ValidationError) -> dict[str, str]:
    """Return a sentence for each invalid setting, by the field's name."""
    return {str(one["loc"][0]): _complaint({**one}) for one in error.errors(include_input=False)}


def _complaint(wrong: Mapping[str, Any]) -> str:
    known = _REASONS.get(wrong["type"])
    reason = known.format(**wrong.get("ctx", {})) if known else re.sub(r"^Value error, ", "", wrong["msg"])
    return f"{str(wrong['loc'][0]).upper()} {reason[0].lower()}{reason[1:]}."
