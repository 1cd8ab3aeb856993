"""Links to what Studii made: in a text, or played by Discord."""

from urllib.parse import urlsplit

from bot.jobs.models import Job
from bot.languages import gettext as _, lazy

MAX_LINK_CHARACTERS = 1500  # of an address that is shown in a text


def link_words(job: Job) -> str:
    """Return the link to the output, and that it may stop working; or that there is none."""
    if not _usable(job.output_url):
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


def can_play(job: Job) -> bool:
    """Return whether Discord would play the video if an ordinary message linked it."""
    return job.output_kind == "video" and _usable(job.output_url)


def _usable(url: str | None) -> bool:
    """Return whether the address can stand in a text."""
    # These characters would end the link, or its spoiler.
    if url is None or len(url) > MAX_LINK_CHARACTERS or any(character in url for character in "<> \n|"):
        return False
    try:
        return urlsplit(url).scheme in {"https", "http"}
    except ValueError:
        return False
