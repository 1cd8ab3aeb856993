"""Names of hosts, and secrets, from outside."""

# In a name, other characters never resolve, and some libraries raise something unexpected for them.
_NOT_IN_A_HOST = frozenset(" \t\r\n/\\@?#<>\"'")


def is_host(text: str) -> bool:
    """Return whether a machine can have that name or address, as far as its text shows."""
    try:
        text.encode("idna")  # as `socket.getaddrinfo` does, which raises UnicodeError
    except UnicodeError:
        return False
    return bool(text) and _NOT_IN_A_HOST.isdisjoint(text)


class Secret:
    """A text that shows in no log, no error message and no list of variables."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
