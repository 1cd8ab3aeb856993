"""Sentences in the reader's language: at once (`gettext` and its kin), or when they are shown (`Message`).

Placeholders are named. A number among the arguments is written as the language writes numbers; an id is
therefore given as text. Babel finds the sentences by the names of these functions, so each is called with
literal strings: https://babel.pocoo.org/en/latest/messages.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.languages.formats import decimal, number, or_list, sentences
from bot.languages.language import spoken
from bot.languages.translations import translations_of


def N_(message: str) -> str:  # noqa: N802 - its name in every project that uses gettext
    """Mark a sentence that is translated elsewhere, and return it as it is."""
    return message


def gettext(message: str, /, **arguments: object) -> str:
    """Return the sentence in the language that is spoken now."""
    return _filled(translations_of(spoken()).gettext(message), arguments)


def unfilled(message: str) -> str:
    """Return a text that was marked elsewhere, in the language that is spoken now, with nothing filled in."""
    return translations_of(spoken()).gettext(message)


def ngettext(one: str, many: str, count: int, /, **arguments: object) -> str:
    """Return the sentence for that number, which it names `{count}`."""
    return _filled(translations_of(spoken()).ngettext(one, many, count), {"count": count, **arguments})


def pgettext(context: str, message: str, /, **arguments: object) -> str:
    """Return the sentence. `context` tells it from others with the same English words."""
    return _filled(translations_of(spoken()).pgettext(context, message), arguments)


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with its arguments, worded in its reader's language when it is shown: `str(message)`.

    Arguments may be messages themselves. It has a `context`, or `many`, or neither.
    """

    one: str
    arguments: Mapping[str, object]
    many: str | None = None
    count: int = 1
    context: str | None = None

    def __str__(self) -> str:
        """Return the sentence in the language that is spoken now."""
        if self.context is not None:
            return pgettext(self.context, self.one, **self.arguments)
        if self.many is not None:
            return ngettext(self.one, self.many, self.count, **self.arguments)
        return gettext(self.one, **self.arguments)

    def using(self, **arguments: object) -> "Message":
        """Return the same sentence with these arguments as well."""
        return replace(self, arguments={**self.arguments, **arguments})

    def __format__(self, spec: str, /) -> str:
        return format(str(self), spec)


class _Several(Message):
    """Several pieces, worded like one message. The arguments are the pieces."""

    __slots__ = ()

    def using(self, **arguments: object) -> Message:
        pieces = {
            place: piece.using(**arguments) if isinstance(piece, Message) else piece
            for place, piece in self.arguments.items()
        }
        return replace(self, arguments=pieces)


class _Paragraph(_Several):
    """Sentences, one after the other."""

    __slots__ = ()

    def __str__(self) -> str:
        return sentences(*self.arguments.values())


class _Alternatives(_Several):
    """A list of what may be chosen from."""

    __slots__ = ()

    def __str__(self) -> str:
        return or_list([str(one) for one in self.arguments.values()])


Worded = str | Message


def lazy(message: str, /, **arguments: object) -> Message:
    """Return the sentence, to be worded when it is shown."""
    return Message(message, arguments)


def nlazy(one: str, many: str, count: int, /, **arguments: object) -> Message:
    """Return the sentence for that number, which it names `{count}`, to be worded when it is shown."""
    return Message(one, arguments, many, count)


def plazy(context: str, message: str, /, **arguments: object) -> Message:
    """Return the sentence, told from others by its context, to be worded when it is shown."""
    return Message(message, arguments, context=context)


def paragraph(*pieces: object) -> Message:
    """Return the sentences that are not empty, one after the other, to be worded when they are shown."""
    return _Paragraph("", {str(place): piece for place, piece in enumerate(pieces) if piece != ""})


def alternatives(items: Sequence[object]) -> Message:
    """Return the items as alternatives, `a, b, or c`, to be worded when they are shown."""
    return _Alternatives("", {str(place): item for place, item in enumerate(items)})


def _filled(sentence: str, arguments: Mapping[str, object]) -> str:
    return sentence.format_map({name: _worded(value) for name, value in arguments.items()})


def _worded(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    return decimal(value) if isinstance(value, float) else str(value)
