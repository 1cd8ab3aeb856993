"""Rules about words: read, changed, and applied to what people ask for."""

from dataclasses import dataclass
from datetime import datetime

from bot.catalog import Tool
from bot.domain import JobRequest
from bot.domain.words import (
    MAX_RULE_CHARACTERS,
    MAX_WILDCARDS,
    MAX_WORD_RULES,
    WordEffect,
    WordRefusal,
    WordRule,
    WordRuleError,
    catches_much,
    matcher_of,
    word_rule,
)
from bot.errors import Refused
from bot.features.wording import pause_words
from bot.languages import lazy, paragraph
from bot.servers import access
from bot.services.service import ToolService

RECENT = 200  # jobs of the server on which a new rule is tried
MUCH_OF_THEM = 0.2
FEW = 5  # jobs; of fewer nothing follows
_CANNOT = {
    WordRuleError.EMPTY: lazy("A rule needs at least one letter or digit. Nothing was changed."),
    WordRuleError.TOO_LONG: lazy(
        "A rule can have at most {most} characters. Nothing was changed.", most=MAX_RULE_CHARACTERS
    ),
    WordRuleError.TOO_MANY_WILDCARDS: lazy(
        "A rule can have at most {most} wildcards (`*`). Nothing was changed.", most=MAX_WILDCARDS
    ),
}
MANY = lazy(
    "The limit is {most} rules. Remove one first with `/studii words remove`. Nothing was changed.",
    most=MAX_WORD_RULES,
)
NO_APPROVALS = lazy(
    "Set a channel for approvals first, with `/studii approval channel:`. Nothing was changed."
)
UNKNOWN_RULE = lazy("There's no rule “{rule}”. `/studii words show` lists them. Nothing was changed.")
MET = lazy(
    "This server's word filter doesn't allow that. Change the wording and try again, or ask "
    "a moderator. Nothing was charged."
)
MET_AND_PAUSED = lazy("This server's word filter doesn't allow that. Nothing was charged.")
MET_BY_PRESET = lazy(
    "This server's word filter doesn't allow the words that this photo tool is set up with. "
    "Ask an admin to change the filter or the tool. Nothing was charged."
)


class WordsRefused(Refused):
    """A rule about words refuses what a person asked for; `refusal` is what moderators read of it.

    `until`: it was one too many, and the person is paused until then. What they wrote is not lost.
    """

    def __init__(self, refusal: WordRefusal, until: datetime | None = None) -> None:
        met = MET if until is None else paragraph(MET_AND_PAUSED, pause_words(until))
        wrote = lazy("You wrote: “{text}”", text=refusal.text)
        super().__init__(MET_BY_PRESET if refusal.preset else paragraph(met, wrote))
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class AddedRule:
    """A rule that was added, in place of the one that was compared alike `before`.

    `common`: it is one letter or a very common word. `caught` of `recent` jobs of the server would have met
    it. `suggested` are values that the catalogue itself suggests, and that meet it.
    """

    rule: WordRule
    before: WordRule | None
    common: bool
    caught: int
    recent: int
    suggested: tuple[str, ...]

    @property
    def catches_much(self) -> bool:
        return self.common or (self.caught >= FEW and self.caught >= MUCH_OF_THEM * self.recent)


class WordService(ToolService):
    """Reads and changes servers' rules about words."""

    async def rules(self, guild_id: int) -> tuple[WordRule, ...]:
        """Return the server's rules, in alphabetical order."""
        async with self._storage.read() as transaction:
            return await transaction.word_rules.get(guild_id)

    async def add(self, guild_id: int, words: str, effect: WordEffect = WordEffect.REFUSE) -> AddedRule:
        """Add a rule, or replace the one that is compared alike. Raises `Refused` if there can be none."""
        rule = word_rule(words, effect)
        if isinstance(rule, WordRuleError):
            raise Refused(_CANNOT[rule])
        async with self._changing() as transaction:
            known = {one.key: one for one in await transaction.word_rules.get(guild_id)}
            approvals = await transaction.run(access.approvals, guild_id)
            if effect is WordEffect.APPROVE and approvals.channel_id is None:
                raise Refused(NO_APPROVALS)
            if rule.key not in known and len(known) >= MAX_WORD_RULES:
                raise Refused(MANY)
            await transaction.word_rules.put(guild_id, rule, self._clock.now())
            recent = await transaction.word_rules.recent_inputs(guild_id, RECENT)
        matcher = matcher_of((rule,))
        caught = sum(matcher.met(list(inputs.values())) is not None for inputs in recent)
        before = known.get(rule.key)
        return AddedRule(rule, before, catches_much(rule), caught, len(recent), self._suggested(rule))

    async def remove(self, guild_id: int, words: str) -> WordRule:
        """Remove the rule that is compared like these words. Raises `Refused` if there is none."""
        rule = word_rule(words)
        unknown = Refused(UNKNOWN_RULE.using(rule=words[:MAX_RULE_CHARACTERS]))
        if isinstance(rule, WordRuleError):
            raise unknown
        async with self._changing() as transaction:
            if not await transaction.word_rules.remove(guild_id, rule.key):
                raise unknown
        return rule

    def _suggested(self, rule: WordRule) -> tuple[str, ...]:
        matcher = matcher_of((rule,))
        values = {
            value
            for tool in self._catalog.tools.values()
            for one in tool.inputs
            for value in one.suggestions
            if matcher.met([value]) is not None
        }
        return tuple(sorted(values))


def met_by(rules: tuple[WordRule, ...], request: JobRequest, tool: Tool) -> WordRule | None:
    """Return the rule that the request meets, or None. The catalogue's defaults meet none."""
    return matcher_of(rules).met(tool.texts(request.inputs)) if rules else None


def words_refused(rule: WordRule, request: JobRequest, tool: Tool) -> WordsRefused:
    """Return the refusal of the request by the rule."""
    refusal = WordRefusal(
        guild_id=request.guild_id,
        channel_id=request.channel_id,
        user_id=request.user_id,
        tool=tool.slug,
        rule=rule.words,
        text=" · ".join(tool.chosen(request.inputs).values()),
        # Where it is not known whether the channel is age-restricted, it may be.
        hidden=request.age_restricted is not False,
        manages=request.context.manages,
        preset=request.origin_message_id is not None and not matcher_of((rule,)).met(tool.texts(request.own)),
    )
    return WordsRefused(refusal)
