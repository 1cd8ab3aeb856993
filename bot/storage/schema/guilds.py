"""Tables of rows that are defined with their features."""

from typing import cast

from sqlalchemy import Table

from bot.features.posting import PostingRules
from bot.meta import Meta
from bot.posts import Post
from bot.servers.settings import GuildSettings

posting_rules = cast("Table", PostingRules.__table__)
posts = cast("Table", Post.__table__)
guilds = cast("Table", GuildSettings.__table__)
meta = cast("Table", Meta.__table__)
