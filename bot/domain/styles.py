"""Styles: a tool with inputs and a prompt, saved under a name by a member, or for a whole server."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.visible_text import visible, without_invisible

STYLE_WORDS = "{text}"  # in a style's prompt: replaced by the member's own words
OF_SERVER = 0  # in the place of a member's id
MAX_STYLES = 50  # of a member in a server, and of a server
MAX_STYLE_ROLES = 20  # that may use one of a server's styles
MAX_STYLE_NAME_CHARACTERS = 50


@dataclass(frozen=True, slots=True)
class Style:
    """A style. It never changes but for its roles, and for what is erased with a member's data."""

    id: str  # 16 hex digits
    guild_id: int
    user_id: int  # whose it is; `OF_SERVER`: the server's
    name: str
    tool: str
    inputs: Mapping[str, str]
    created_at: datetime
    roles: frozenset[int]  # that may use it; empty: everyone
    made_by: int | None  # who added it to the server
    job_id: str | None  # whose result shows what the style makes

    @property
    def of_server(self) -> bool:
        return self.user_id == OF_SERVER

    def usable_by(self, user_id: int, roles: frozenset[int]) -> bool:
        """Return whether a member with these roles may use it."""
        return (not self.roles or bool(self.roles & roles)) if self.of_server else self.user_id == user_id


def style_name(typed: str) -> str:
    """Return the name as it is shown; empty if nobody could read it."""
    return " ".join(visible(typed).split())


def style_key(name: str) -> str:
    """Return the name as it is compared: two styles of one owner differ in it."""
    composed = unicodedata.normalize("NFKC", without_invisible(name))
    return " ".join(unicodedata.normalize("NFKC", composed.casefold()).split())


def wants_words(prompt: str | None) -> bool:
    """Return whether a style with that prompt can't be used without words."""
    return prompt is not None and STYLE_WORDS in prompt


def with_words(prompt: str | None, words: str | None) -> str | None:
    """Return a style's prompt with the words in their place, or at its end if it has none."""
    if not prompt or not words:
        return prompt or words
    return prompt.replace(STYLE_WORDS, words) if STYLE_WORDS in prompt else f"{prompt}, {words}"
