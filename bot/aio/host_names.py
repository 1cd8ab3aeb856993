"""Check whether text can be the name or address of a host. Imports nothing, for the health check."""

# In a name, other characters never resolve, and some libraries raise something unexpected for them.
_NEVER = frozenset(" \t\r\n/\\@?#<>\"'")


def is_host(text: str) -> bool:
    """Return whether a machine can have that name or address, as far as its text shows."""
    if not text or not _NEVER.isdisjoint(text):
        return False
    try:
        text.encode("idna")  # as `socket.getaddrinfo` does, which raises UnicodeError
    except UnicodeError:
        return False
    return True
