"""Finds the bot's own English in texts of the pseudo-language, where a translation would have been shown."""

import re
from collections.abc import Iterator
from functools import cache

from tests.support.messages import template
from tests.support.pseudo.letters import KEPT

_WORD = re.compile(r"[A-Za-z][A-Za-z'’_]*")  # the API's names, such as aspect_ratio, are typed in commands
# What `bot.ui.kit.text.plain` writes for a sign that people typed: it begins and ends no code, nor a mention.
_ESCAPED = re.compile(r"\\([\\*_~`|<>\[\]#+:.)-])")
_Words = tuple[str, ...]
_FRAGMENT = 2  # words between what is filled in, which people write as well
# What people write in tests, though the bot says it too.
PEOPLES: frozenset[_Words] = frozenset([("the", "style"), ("Prompt",), ("Virtually", "staged")])


def plain_english(text: str) -> Iterator[str]:
    """Yield each sentence of the code of which a line of the text has the words as they are, and each label
    that is such a line."""
    sentences = own_words()
    for line in text.splitlines():
        typed = _ESCAPED.sub(lambda sign: "_" if sign[1] == "_" else " ", line)
        words = tuple(_WORD.findall(KEPT.sub(" ", typed)))
        for start, word in enumerate(words):
            for one in sentences.get(word, ()):
                if words[start : start + len(one)] == one and (len(one) > 1 or words == one):
                    yield " ".join(one)


@cache
def own_words() -> dict[str, list[_Words]]:
    """Return the words of what the code says to people, by the first: of whole sentences and labels, and of
    the longer pieces between what is filled in."""
    found: dict[str, set[_Words]] = {}
    for text in _marked():
        pieces = [tuple(_WORD.findall(one)) for one in KEPT.split(text)[::2]]
        for words in pieces:
            whole = len(pieces) == 1 and (len(words) > 1 or text[:1].isupper())
            if words and (whole or len(words) > _FRAGMENT) and words not in PEOPLES:
                found.setdefault(words[0], set()).add(words)
    return {first: sorted(sentences) for first, sentences in found.items()}


def _marked() -> Iterator[str]:
    for message in template():
        if message.id:
            yield from (message.id,) if isinstance(message.id, str) else message.id
