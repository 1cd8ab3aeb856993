"""The pictures that a result shows: itself, and what stands beside it to compare with."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from discord import MediaGalleryItem, ui

from bot.jobs.models import Job
from bot.languages import Message, Worded, gettext as _, lazy, plazy
from bot.ui.jobs.wording import ALT_LENGTH, ToolNames, alt_words
from bot.ui.kit.text import shortened
from bot.ui.reading.photo_lookup import BEFORE_FILE, HALVES_FILE, LABELLED_FILE

BEFORE = lazy("Before: the original photo")
LABELLED = lazy("The result with a label that says that it is staged")
HALVES = lazy("Before on the left, after on the right")
AFTER_SMALLER = lazy("Shown smaller than it was made, because Discord has a size limit here.")
BEFORE_SMALLER = lazy("The original photo is shown smaller, because Discord has a size limit here.")
BEFORE_LEFT_OUT = lazy("The original photo isn't shown, because Discord has a size limit here.")
BEFORE_GONE = lazy("The original photo has been deleted, so it isn't shown.")
# What is which in the gallery, in which Discord draws no captions.
_AFTER, _BOTH = plazy("title", "After"), plazy("title", "Split")
_BEFORE, _LABELLED = plazy("title", "Before"), plazy("title", "Labelled")
_BESIDE = {
    HALVES_FILE: (_BOTH, HALVES),
    LABELLED_FILE: (_LABELLED, LABELLED),
    BEFORE_FILE: (_BEFORE, BEFORE),
}
_CAPTION = re.compile(r"\*\*[0-9]+\.\*\* ")
SPLIT_LABELS = plazy("drawn on a picture", "Before"), plazy("drawn on a picture", "After")


def gallery(job: Job, names: ToolNames, addresses: Sequence[str]) -> ui.MediaGallery[Any]:
    """Return the pictures at these addresses: the result, and those shown beside it to compare with."""
    alt = alt_words(names, job)
    # Translators: for screen readers; the description names the tool and what was chosen.
    after = _("After: {description}", description=alt) if len(addresses) > 1 else alt
    media = [
        MediaGalleryItem(one, description=shortened(words, ALT_LENGTH), spoiler=is_hidden(job))
        for one in in_order(addresses)
        for words in [str(shown_as(file_name_of(one), after)[1])]
    ]
    return ui.MediaGallery(*media)


def file_name_of(address: str) -> str:
    """Return the name of the file at an address, also at one of a message's own files."""
    return PurePosixPath(urlsplit(address.replace("attachment://", "/")).path).name


def shown_as(name: str, after: Worded = "") -> tuple[Message, Worded]:
    """Return what a picture is called, and its description: that of the result is `after`."""
    return next((said for what, said in _BESIDE.items() if name.startswith(f"{what}-")), (_AFTER, after))


def in_order(addresses: Sequence[str]) -> list[str]:
    """Return the pictures as they are shown: a copy that says that it is staged comes first."""
    return sorted(addresses, key=lambda one: not file_name_of(one).startswith(f"{LABELLED_FILE}-"))


def order_words(names: Sequence[str]) -> str:
    """Return `1 After · 2 Before`; empty where the result is alone."""
    named = [shown_as(name)[0] for name in in_order(names)]
    return " · ".join(f"{number} {name}" for number, name in enumerate(named, 1)) if len(named) > 1 else ""


def is_hidden(job: Job) -> bool:
    """Return whether results of the job are hidden behind a spoiler, as its photo was."""
    return job.source is not None and job.source.hidden


def caption_of(place: int) -> str:
    """Return how the line above a photo begins."""
    return f"**{place}.**"


def is_caption(words: str) -> bool:
    """Return whether a text of a set's message stands above a photo."""
    return _CAPTION.match(words) is not None
