"""Word rules: what an admin writes, what it is compared as, and the texts that meet it.

A rule is a few literal pieces with wildcards between them. A search for its longest piece in the text, with
each run of a letter as one, comes first; the rule's pattern is made and tried only if it is there. The work
is bounded: no pattern goes back over what it has read twice.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby

from bot.domain.words.reading import BETWEEN_VALUES, WITHOUT_SPACES, normalized, readings

WILDCARD = "*"
MAX_WORD_RULES = 200  # in a server
MAX_RULE_CHARACTERS = 60
MAX_WILDCARDS = 5
_SHORT = 2  # letters that, with a wildcard, begin or end very many words

MATCHERS = 256  # servers whose rules are kept ready
PATTERNS = 5_000  # rules whose patterns are

_IN_WORD = f"[^ {BETWEEN_VALUES}{WITHOUT_SPACES}]"
_ANYWHERE = re.compile(f"[{WITHOUT_SPACES}]")
_RUNS = re.compile(r"(.)\1+", re.DOTALL)

# The most frequent words of texts in English, German, French, Spanish and Portuguese, as rules are compared:
# a rule for one of them would refuse nearly every prompt. Japanese has no spaces between words. Words that
# admins may well ban in English, such as "die" and "sin", are left out.
_COMMON = (  # Untranslated: words of all languages
    "a about after all also an and any are as at back be because but by can come could day do even "
    "first for from get give go good have he her him his how i if in into is it its just know like look "
    "make me most my new no not now of on one only or other our out over people say see she so some "
    "take than that the their them then there these they think this time to two up us use want was way "
    "we well what when which who will with work would year you your photo picture image video room "
    "style light white black red blue green background "
    "aber auch auf aus bei bild dem der des das ein eine einem einen einer foto fur hintergrund ich im "
    "ist licht mein meine mit nach nicht raum sehr sich stil uber und unter von vor wie zu zum zur "
    "au aux avec ce cette dans de du elle en est et fond il la le les lumiere ma mes mon ou par pas "
    "piece plus pour que qui sa ses sur un une "
    "al como con del el es estilo fondo imagen las lo los luz mas mi muy o para por se su una uno unos "
    "unas y "
    "ao com da dos e em fundo imagem meu minha mais muito na nao nas nos os quarto sala seu sua um uma"
)


class WordEffect(StrEnum):
    """The consequence for a request that meets a rule."""

    REFUSE = "refuse"
    APPROVE = "approve"  # a moderator decides


@dataclass(frozen=True, slots=True)
class WordRule:
    """A rule of a server: `words` as an admin wrote them, `key` as they are compared."""

    words: str
    key: str
    effect: WordEffect


@dataclass(frozen=True, slots=True)
class WordRefusal:
    """A request that a rule refused, as moderators read of it."""

    guild_id: int
    channel_id: int
    user_id: int
    tool: str
    rule: str  # as an admin wrote it
    text: str  # what was asked for
    hidden: bool  # it came from a place from which nothing may be shown elsewhere
    manages: bool  # the person has Manage Server
    preset: bool  # an admin chose the text, for an emoji or a photo channel


class WordRuleError(StrEnum):
    """A reason why words can't be a rule."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_MANY_WILDCARDS = "too_many_wildcards"


def word_rule(words: str, effect: WordEffect = WordEffect.REFUSE) -> WordRule | WordRuleError:
    """Return the rule for a word or a phrase with wildcards, or why there can be none."""
    words = " ".join(words.split())
    if len(words) > MAX_RULE_CHARACTERS:
        return WordRuleError.TOO_LONG
    # Each piece alone, as a wildcard is no part of a word.
    pieces = [_piece(piece) for piece in re.split(r"\*+", words)]
    key = WILDCARD.join(pieces).strip()
    if not key.replace(WILDCARD, "").strip():
        return WordRuleError.EMPTY
    if key.count(WILDCARD) > MAX_WILDCARDS:
        return WordRuleError.TOO_MANY_WILDCARDS
    return WordRule(words, key, effect)


def _piece(piece: str) -> str:
    """Normalize a piece, with a space at an end where it ends a word."""
    bare = normalized(piece)
    if not bare:
        return " " if piece else ""
    before = " " if piece[0].isspace() else ""
    after = " " if piece[-1].isspace() else ""
    return f"{before}{bare}{after}"


def catches_much(rule: WordRule) -> bool:
    """Return whether the rule would catch very much: one letter, or a word that nearly every text has."""
    bare = rule.key.replace(WILDCARD, "").strip()
    if rule.key in _COMMON.split():
        return True
    letters = len(bare.replace(" ", ""))
    if bare and not bare.isascii() and letters == 1 and WILDCARD not in rule.key:
        return bare.isalpha() and bare.lower() != bare.upper()  # an ideograph is a word
    return letters <= (_SHORT if WILDCARD in rule.key else 1)


class WordMatcher:
    """Finds the rules of one server in what people ask for."""

    def __init__(self, rules: Iterable[WordRule]) -> None:
        # A refusal is found first.
        in_order = sorted(rules, key=lambda rule: (rule.effect is not WordEffect.REFUSE, rule.key))
        self._rules = [(rule, _needle(rule.key)) for rule in in_order]

    def met(self, values: Collection[str]) -> WordRule | None:
        """Return the first rule that one of the values meets, one that refuses before one that asks."""
        if not self._rules or not values:
            return None
        joined = BETWEEN_VALUES.join(value.replace(BETWEEN_VALUES, " ") for value in values)
        forms = [(form, _RUNS.sub(r"\1", form)) for form in readings(joined)]
        for rule, needle in self._rules:
            if any(needle in short and _pattern(rule.key).search(form) for form, short in forms):
                return rule
        return None


@lru_cache(maxsize=MATCHERS)
def matcher_of(rules: tuple[WordRule, ...]) -> WordMatcher:
    """Return the matcher of these rules."""
    return WordMatcher(rules)


def _needle(key: str) -> str:
    """Return the longest piece of a rule, with each run of a letter as one."""
    return max((_RUNS.sub(r"\1", piece.strip()) for piece in key.split(WILDCARD)), key=len)


@lru_cache(maxsize=PATTERNS)
def _pattern(key: str) -> re.Pattern[str]:
    """Return the pattern of a rule's normalized text.

    A wildcard takes as few characters of its word as the next piece allows, and keeps them (an atomic group):
    the first place where the next piece fits is as good as any later one. Before the last piece it takes all
    and gives back one by one, since that piece must end the word.
    """
    pieces = key.split(WILDCARD)
    made = [_edge(pieces[0][:1], "?<!")]
    for number, piece in enumerate(pieces):
        after, before = number < len(pieces) - 1, number > 0
        literal = _literal(piece, open_before=before, open_after=after)
        if not before:
            made.append(literal)
        elif after:
            made.append(f"(?>{_IN_WORD}*?{literal})")
        else:
            made.append(f"{_IN_WORD}*{literal}" if piece else f"{_IN_WORD}*+")
    return re.compile("".join([*made, _edge(pieces[-1][-1:], "?!")]))


def _edge(char: str, look: str) -> str:
    """Return the expression for an end of a word, where the script separates words."""
    return "" if _ANYWHERE.match(char) else f"({look}{_IN_WORD})"


def _literal(piece: str, *, open_before: bool, open_after: bool) -> str:
    runs = [(char, len(list(same))) for char, same in groupby(piece)]
    last = len(runs) - 1
    # Beside a wildcard, the rest of a run belongs to that.
    return "".join(
        _run(char, count, is_open=(open_before and number == 0) or (open_after and number == last))
        for number, (char, count) in enumerate(runs)
    )


def _run(char: str, count: int, *, is_open: bool) -> str:
    """Return the expression for a run: as long as in the rule, or drawn out to three letters or more."""
    one = re.escape(char)
    if not char.isalpha() or is_open:
        return one * count
    return f"{one}{{3,}}+" if count >= 3 else f"(?>{one}{{3,}}+|{one}{{{count}}}(?!{one}))"
