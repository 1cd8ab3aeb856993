"""Addresses of servers, checked as strictly as what connects to them does."""

import re

from yarl import URL

from bot.aio.host_names import is_host

_PRINTABLE = re.compile(r"[!-~]+")


def absolute_address(text: str) -> URL | None:
    """Return an http or https address with a host and nothing of a user, kept to the letter, or None."""
    if not _PRINTABLE.fullmatch(text):
        return None
    try:
        url = URL(text, encoded=True)
        fit = url.scheme in {"http", "https"} and bool(url.port) and is_host(url.host or "")
    except ValueError:
        return None
    return url if fit and url.raw_user is None and url.raw_password is None else None
