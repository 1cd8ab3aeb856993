"""Find the rules that a text meets. The work is bounded: no pattern goes back over what it has read twice.

A rule is a few literal pieces with wildcards between them. A search for its longest piece in the text, with
each run of a letter as one, comes first; the rule's pattern is made and tried only if it is there.
"""

import re
from collections.abc import Collection, Iterable
from functools import cached_property, lru_cache
from itertools import groupby

from bot.domain.words.normal import BETWEEN_VALUES, WITHOUT_SPACES, disguised, looks_like, normalized
from bot.domain.words.word_rules import WILDCARD, WordEffect, WordRule

MATCHERS = 256  # servers whose rules are kept ready

_IN_WORD = f"[^ {BETWEEN_VALUES}{WITHOUT_SPACES}]"
_ANYWHERE = re.compile(f"[{WITHOUT_SPACES}]")
_RUNS = re.compile(r"(.)\1+", re.DOTALL)


class WordMatcher:
    """Finds the rules of one server in what people ask for."""

    def __init__(self, rules: Iterable[WordRule]) -> None:
        # A refusal is found first.
        self._rules = [_Compiled(rule) for rule in sorted(rules, key=_order)]

    def met(self, values: Collection[str]) -> WordRule | None:
        """Return the first rule that one of the values meets, one that refuses before one that asks."""
        if not self._rules or not values:
            return None
        joined = BETWEEN_VALUES.join(value.replace(BETWEEN_VALUES, " ") for value in values)
        read = {normalized(joined), *looks_like(joined), *disguised(joined)}
        forms = [(form, _RUNS.sub(r"\1", form)) for form in read if form]
        for rule in self._rules:
            if any(rule.needle in short and rule.pattern.search(form) for form, short in forms):
                return rule.rule
        return None


@lru_cache(maxsize=MATCHERS)
def matcher_of(rules: tuple[WordRule, ...]) -> WordMatcher:
    """Return the matcher of these rules, which makes a pattern when it is needed first."""
    return WordMatcher(rules)


class _Compiled:
    def __init__(self, rule: WordRule) -> None:
        self.rule = rule
        pieces = [piece for piece in rule.key.split(WILDCARD) if piece.strip()]
        self.needle = max((_RUNS.sub(r"\1", piece.strip()) for piece in pieces), key=len)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(_pattern(self.rule.key))


def _order(rule: WordRule) -> tuple[bool, str]:
    return rule.effect is not WordEffect.REFUSE, rule.key


def _pattern(key: str) -> str:
    """Return the regular expression of a rule's normalized text.

    A wildcard takes as few characters of its word as the next piece allows, and keeps them (an atomic group):
    the first place where the next piece fits is as good as any later one. Before the last piece it takes all
    and gives back one by one, since that piece must end the word.
    """
    pieces = key.split(WILDCARD)
    made = [_left(pieces[0])]
    for number, piece in enumerate(pieces):
        after, before = number < len(pieces) - 1, number > 0
        literal = _literal(piece, open_before=before, open_after=after)
        if not before:
            made.append(literal)
        elif after:
            made.append(f"(?>{_IN_WORD}*?{literal})")
        else:
            made.append(f"{_IN_WORD}*{literal}" if piece else f"{_IN_WORD}*+")
    return "".join([*made, _right(pieces[-1])])


def _left(piece: str) -> str:
    return "" if piece and _ANYWHERE.match(piece[0]) else f"(?<!{_IN_WORD})"


def _right(piece: str) -> str:
    return "" if piece and _ANYWHERE.match(piece[-1]) else f"(?!{_IN_WORD})"


def _literal(piece: str, *, open_before: bool, open_after: bool) -> str:
    runs = [(char, len(list(same))) for char, same in groupby(piece)]
    made: list[str] = []
    for number, (char, count) in enumerate(runs):
        # Beside a wildcard, the rest of a run belongs to that.
        is_open = (open_before and number == 0) or (open_after and number == len(runs) - 1)
        made.append(_run(char, count, is_open=is_open))
    return "".join(made)


def _run(char: str, count: int, *, is_open: bool) -> str:
    """Return the expression for a run: as long as in the rule, or drawn out to three letters or more."""
    one = re.escape(char)
    if not char.isalpha() or is_open:
        return one * count
    exact = f"{one}{{{count}}}(?!{one})" if count < 3 else f"{one}{{3,}}+"
    return exact if count >= 3 else f"(?>{one}{{3,}}+|{exact})"
