"""The settings and rules that decide about a server's jobs, read together."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.features.words import WordRule
from bot.jobs.models import Hold
from bot.servers import access
from bot.servers.access import AccessRules
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """A server's settings, key and rules."""

    settings: GuildSettings
    key: StudiiKey | None = None
    hold: Hold | None = None
    access: AccessRules = field(default_factory=AccessRules)
    words: tuple[WordRule, ...] = ()


def of_servers(session: Session, guild_ids: Collection[int], at: datetime) -> dict[int, ServerConfig]:
    """Return the configuration of each of the servers, the defaults for those that have none."""
    query = select(GuildSettings, StudiiKey, Hold).where(GuildSettings.guild_id.in_(guild_ids))
    query = query.join(StudiiKey, StudiiKey.id == GuildSettings.key_id, isouter=True)
    query = query.join(Hold, Hold.guild_id == GuildSettings.guild_id, isouter=True)
    made = {one: ServerConfig(GuildSettings(one)) for one in guild_ids}
    if found := session.execute(query).all():
        rules, words = access.of_servers(session, guild_ids, at), defaultdict[int, list[WordRule]](list)
        for word in session.scalars(select(WordRule).where(WordRule.guild_id.in_(guild_ids))):
            words[word.guild_id].append(word)
        for settings, key, hold in found:
            one = settings.guild_id
            made[one] = ServerConfig(settings, key, hold, rules[one], tuple(words[one]))
    return made
