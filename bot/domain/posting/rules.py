"""Describe how a server's results are shown in its channels."""

from dataclasses import dataclass

from bot.languages import N_, gettext

MADE_WITH_AI = N_("Made with AI")
MAX_DISCLOSURE_CHARACTERS = 80  # of a disclosure
CORNERS = ("bottom-left", "bottom-right", "top-left", "top-right")


@dataclass(frozen=True, slots=True)
class PostingRules:
    """The settings that a server's admins make with `/studii channel` and `/studii disclosure`.

    `keeps_cards`: a job's card stays beside its posting, which replies to it. `results_channel_id`: results
    are posted there, not where they were asked for. `in_threads`: results are posted in a thread under the
    photo's message, else under the card. `splits`: a picture that is half before and half after is shown
    beside a result. `disclosure` is said under each result; empty: nothing is. `staging_label` is written
    into that corner of a copy of a staged picture, which is shown beside it; empty: there is no copy.
    `best_channel_id`: results that get `best_stars` stars, or a moderator's, are shown there as well.
    """

    keeps_cards: bool = False
    results_channel_id: int | None = None
    in_threads: bool = False
    splits: bool = False
    disclosure: str = MADE_WITH_AI
    staging_label: str = ""
    staging_corner: str = CORNERS[0]
    best_channel_id: int | None = None
    best_stars: int = 3

    @property
    def disclosure_words(self) -> str:
        """Return the disclosure as shown: an admin's own words, or the default in the reader's language."""
        return gettext(MADE_WITH_AI) if self.disclosure == MADE_WITH_AI else self.disclosure
