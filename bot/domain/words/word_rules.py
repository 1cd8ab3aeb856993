"""Word rules: what an admin writes, and what it is compared as."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.words.normal import normalized

WILDCARD = "*"
MAX_WORD_RULES = 200  # in a server
MAX_RULE_CHARACTERS = 60
MAX_WILDCARDS = 5
_SHORT = 2  # letters that, with a wildcard, begin or end very many words

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
