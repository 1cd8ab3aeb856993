"""Links to what Studii made: in a text, on a button, or played by Discord."""

from typing import Any
from urllib.parse import urlsplit

from discord import ui

from bot.jobs.models import Job
from bot.languages import gettext as _, lazy
from bot.ui.kit.layout import URL_LIMIT

MAX_LINK_CHARACTERS = 1500  # of an address that is shown in a text


def link_words(job: Job) -> str:
    """Return the link to the output, and that it may stop working; or that there is none."""
    if not usable(job.output_url, MAX_LINK_CHARACTERS):
        return str(
            lazy(
                "There's no link to it either. It may still be in the Studii account: ask the server's "
                "admins."
            )
        )
    link = f"<{job.output_url}>"
    if job.output_kind == "video":
        return _("[Open the video]({link}). The link may stop working after a while.", link=link)
    return _("[Open the picture]({link}). The link may stop working after a while.", link=link)


def link_button(job: Job, label: str) -> ui.Button[Any] | None:
    """Return a button that opens the output at Studii. None if its address is too long for a button."""
    return ui.Button(label=label, url=job.output_url) if usable(job.output_url, URL_LIMIT) else None


def can_play(job: Job) -> bool:
    """Return whether Discord would play the video if an ordinary message linked it."""
    return job.output_kind == "video" and usable(job.output_url, MAX_LINK_CHARACTERS)


def usable(url: str | None, length: int) -> bool:
    """Return whether the address has at most that many characters, and can stand in a text."""
    # These characters would end the link, or its spoiler.
    if url is None or len(url) > length or any(character in url for character in "<> \n|"):
        return False
    try:
        return urlsplit(url).scheme in {"https", "http"}
    except ValueError:
        return False
