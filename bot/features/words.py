"""The word filter: rules about words and phrases in what people ask for."""

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import posts
from bot.base import Base, Choice, metadata, put
from bot.catalog import Catalog, Tool
from bot.errors import Refused
from bot.features import word_matching
from bot.jobs.models import JobRequest
from bot.languages import lazy, paragraph
from bot.servers import access, notices, settings

MAX_WORD_RULES = 200  # in a server
MAX_RULE_CHARACTERS = 60
MAX_WILDCARDS = 5
MAX_REFUSALS = 100
MAX_PAUSE_HOURS = 24 * 30


class WordEffect(StrEnum):
    """The consequence for a request that meets a rule."""

    REFUSE = "refuse"
    APPROVE = "approve"  # a moderator decides


class WordRule(Base):
    """A rule of a server: `words` as an admin wrote them, `key` as they are compared."""

    __tablename__ = "word_rules"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str]
    effect: Mapped[WordEffect] = mapped_column(Choice(WordEffect))


class WordsRefused(Refused):
    """A rule of the word filter refuses what a person asked for. What they wrote is not lost.

    `preset`: an admin chose the words, for an emoji or a photo channel. `until`: it was one refusal too many,
    and the person is paused until then.
    """

    def __init__(
        self, rule: WordRule, request: JobRequest, tool: Tool, until: datetime | None = None
    ) -> None:
        self.rule, self.request, self.tool = rule, request, tool
        self.text = " · ".join(tool.chosen(request.inputs).values())
        self.preset = request.origin_message_id is not None and met([rule], tool.texts(request.own)) is None
        said = (
            lazy(
                "This server's word filter doesn't allow that. Change the wording and try again, or ask "
                "a moderator. Nothing was charged."
            )
            if until is None
            else paragraph(
                lazy("This server's word filter doesn't allow that. Nothing was charged."),
                access.pause_words(until),
            )
        )
        super().__init__(
            lazy(
                "This server's word filter doesn't allow the words that this photo tool is set up with. "
                "Ask an admin to change the filter or the tool. Nothing was charged."
            )
            if self.preset
            else paragraph(said, lazy("You wrote: “{text}”", text=self.text))
        )


@dataclass(frozen=True, slots=True)
class Catch:
    """Texts that meet a rule: `caught` of `recent` jobs, and values that the catalogue itself suggests.

    `common`: it is one letter or a very common word.
    """

    common: bool
    caught: int
    recent: int
    suggested: tuple[str, ...]

    @property
    def is_large(self) -> bool:
        # Of fewer jobs nothing follows.
        return self.caught >= 5 and self.caught >= 0.2 * self.recent


def catch_of(rule: WordRule, recent: Collection[Mapping[str, str]], catalog: Catalog) -> Catch:
    """Return what the rule would have caught of recent jobs, whose inputs these are, and what it will."""
    keys = [rule.key]
    values = {value for tool in catalog.tools.values() for one in tool.inputs for value in one.suggestions}
    return Catch(
        word_matching.catches_much(rule.key),
        sum(word_matching.first_met(keys, [*inputs.values()]) is not None for inputs in recent),
        len(recent),
        tuple(sorted(value for value in values if word_matching.first_met(keys, [value]))),
    )


def rules(session: Session, guild_id: int) -> tuple[WordRule, ...]:
    """Return the server's rules, in alphabetical order."""
    return tuple(sorted(of_servers(session, [guild_id])[guild_id], key=lambda rule: rule.key))


def of_servers(session: Session, guild_ids: Collection[int]) -> dict[int, list[WordRule]]:
    """Return the servers' rules, in no order."""
    found: dict[int, list[WordRule]] = {one: [] for one in guild_ids}
    for rule in session.scalars(select(WordRule).where(WordRule.guild_id.in_(guild_ids))):
        found[rule.guild_id].append(rule)
    return found


def add(
    session: Session,
    guild_id: int,
    words: str,
    effect: WordEffect = WordEffect.REFUSE,
) -> tuple[WordRule, WordEffect | None, list[dict[str, str]]]:
    """Add a rule, or replace the one that is compared alike, and return it with the effect of that one.

    Return also the inputs of the server's last jobs that still have them. Raises `Refused` if there can be
    none.
    """
    words = " ".join(words.split())
    key = word_matching.key_of(words)
    if not key:
        raise Refused(lazy("A rule needs at least one letter or digit. Nothing was changed."))
    if key.count(word_matching.WILDCARD) > MAX_WILDCARDS:
        raise Refused(
            lazy("A rule can have at most {most} wildcards (`*`). Nothing was changed.", most=MAX_WILDCARDS)
        )
    if "," in words or "、" in words:
        raise Refused(
            lazy("A rule is one word or phrase, without commas. Add them one by one. Nothing was changed.")
        )
    known = {one.key: one.effect for one in rules(session, guild_id)}
    if effect is WordEffect.APPROVE and settings.of(session, guild_id).approval_channel is None:
        raise Refused(lazy("Set a channel for approvals first. Nothing was changed."))
    if key not in known and len(known) >= MAX_WORD_RULES:
        raise Refused(
            lazy("The limit is {most} rules. Remove one first. Nothing was changed.", most=MAX_WORD_RULES)
        )
    put(session, WordRule, {"guild_id": guild_id, "key": key}, words=words, effect=effect)
    jobs = metadata.tables["jobs"].c  # the server's last ones that still have their inputs
    mine = (jobs.guild_id == guild_id) & jobs.scrubbed_at.is_(None)
    recent = session.scalars(select(jobs.inputs).where(mine).order_by(jobs.number.desc()).limit(200))
    return (
        WordRule(guild_id, key, words, effect),
        known.get(key),
        [one for one in recent if isinstance(one, dict)],
    )


def remove(session: Session, guild_id: int, key: str) -> WordRule:
    """Remove the rule with that key. Raises `Refused` if there is none."""
    rule = session.get(WordRule, (guild_id, key))
    if rule is None:
        raise Refused(lazy("There's no rule “{rule}” any more. Nothing was changed.", rule=key))
    session.delete(rule)
    return rule


def ensure_words_allowed(session: Session, guild_id: int, texts: Sequence[str]) -> None:
    """Raise `Refused` if a rule refuses requests with these texts, which are to be saved for later requests.

    What rules send to approval can be saved: each request is approved.
    """
    rule = met(rules(session, guild_id), texts)
    if rule is not None and (
        rule.effect is WordEffect.REFUSE or settings.of(session, guild_id).approval_channel is None
    ):
        raise Refused(
            lazy(
                "This server's word filter doesn't allow that. Change the wording and try again, or ask "
                "a moderator. Nothing was saved."
            )
        )


def met(rules: Collection[WordRule], values: Collection[str]) -> WordRule | None:
    """Return the rule that one of the values meets, one that refuses before one that asks; or None.

    Of a request, these are `tool.texts(inputs)`: the catalogue's defaults meet none.
    """
    by_key = {
        rule.key: rule
        for rule in sorted(rules, key=lambda rule: (rule.effect is WordEffect.APPROVE, rule.key))
    }
    key = word_matching.first_met(by_key, values) if by_key else None
    return None if key is None else by_key[key]


def note_refusal(session: Session, refused: WordsRefused, at: datetime) -> access.Block | None:
    """Let moderators know of a refusal. If it pauses the member, return the pause.

    What an admin chose is no fault of the member who posted or tapped a photo: it pauses no one, and is told
    once a day.
    """
    request, rule, preset = refused.request, refused.rule.words, refused.preset
    guild_id, user_id, manages = request.guild_id, request.user_id, request.context.manages
    pause = None if preset else access.count_refusal(session, guild_id, user_id, at, manages=manages)
    until = None if pause is None else pause.until
    # Where it is not known whether the channel is age-restricted, it may be.
    hidden = request.age_restricted is not False
    details = {
        "user": None if preset else user_id,
        "preset": int(preset),
        "channel": request.channel_id,
        "tool": refused.tool.slug,
        "rule": rule,
        "text": None if hidden else refused.text[:1000],  # what a notice has room for
        "until": None if until is None else int(until.timestamp()),
    }
    # Begins with the member, by whom it can be erased.
    key = f"{user_id}:{secrets.token_hex(8)}"
    if preset:
        told = f"{request.channel_id} {refused.tool.slug} {rule}"
        key = f"preset:{hashlib.sha256(told.encode()).hexdigest()[:16]}:{at:%Y-%m-%d}"
    posts.want(session, guild_id, notices.NoticeKind.WORDS, key, at=at, details=details)
    return pause
