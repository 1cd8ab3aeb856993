"""Describe how results are shown in a server's channels, and those of a set together."""

from bot.domain.posting.rules import MAX_DISCLOSURE_CHARACTERS, PostingRules
