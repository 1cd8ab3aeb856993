"""/studii words: which words and phrases may not be asked for."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.features import words as word_filter
from bot.features.words import MAX_PAUSE_HOURS, MAX_REFUSALS, MAX_RULE_CHARACTERS, WordEffect
from bot.languages import N_
from bot.servers import access, settings
from bot.servers.access import WordPause
from bot.ui.admin.moderation.words import rule_added_panel, rule_removed_panel, words_panel
from bot.ui.kit.first_answer import read_for_suggestions
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import server_of
from cogs.studii.group import Choices, add_to_studii, choices

THEN = [
    app_commands.Choice(name=N_("refuse it"), value=WordEffect.REFUSE.value),
    app_commands.Choice(name=N_("ask moderators for approval"), value=WordEffect.APPROVE.value),
]
Rule = app_commands.Range[str, 1, MAX_RULE_CHARACTERS]


class _WordsGroup(app_commands.Group):
    def __init__(self, bot: StudiiBot) -> None:
        super().__init__(name="words", description=N_("Words and phrases that members can't ask for"))
        self._bot = bot
        self._db = bot.services.db

    @app_commands.command(description=N_("Show the word filter"))
    async def show(self, interaction: discord.Interaction) -> None:
        guild_id = server_of(interaction)
        await self._show(interaction, guild_id, await self._db.read(access.word_pause, guild_id))

    @app_commands.command(description=N_("Refuse requests with a word or a phrase, or send them to approval"))
    @app_commands.describe(
        words=N_("A word or a phrase; * is any part of a word, as in paint*"),
        then=N_("Refuse requests with it, or ask moderators; refused by default"),
    )
    @app_commands.choices(then=THEN)
    async def add(self, interaction: discord.Interaction, words: Rule, then: str = WordEffect.REFUSE) -> None:
        guild_id = server_of(interaction)
        new = guild_id, words, self._bot.clock.now(), WordEffect(then)
        added = await self._db.write(word_filter.add, *new)
        catch = word_filter.catch_of(added, self._bot.catalog)
        await answer(interaction, rule_added_panel(added, catch, logged=await self._is_logged(guild_id)))

    @app_commands.command(description=N_("Remove a rule from the word filter"))
    @app_commands.describe(words=N_("The rule to remove"))
    async def remove(self, interaction: discord.Interaction, words: str) -> None:
        removed = await self._db.write(word_filter.remove, server_of(interaction), words)
        await answer(interaction, rule_removed_panel(removed))

    @app_commands.command(description=N_("Pause members after several requests that the word filter refused"))
    @app_commands.describe(
        refusals=N_("How many refusals within a day pause a member; 0: never"),
        hours=N_("How long the pause lasts"),
    )
    async def pause(
        self,
        interaction: discord.Interaction,
        refusals: app_commands.Range[int, 0, MAX_REFUSALS] | None = None,
        hours: app_commands.Range[int, 1, MAX_PAUSE_HOURS] | None = None,
    ) -> None:
        guild_id = server_of(interaction)
        pause = await self._db.write(word_filter.set_pause, guild_id, refusals, hours)
        await self._show(interaction, guild_id, pause)

    async def _show(self, interaction: discord.Interaction, guild_id: int, pause: WordPause) -> None:
        rules = await self._db.read(word_filter.rules, guild_id)
        logged = await self._is_logged(guild_id)
        await answer(interaction, words_panel(rules, pause, logged=logged))

    async def _is_logged(self, guild_id: int) -> bool:
        return (await self._db.read(settings.log_of, guild_id)).channel_id is not None

    @remove.autocomplete("words")
    async def _rules(self, interaction: discord.Interaction, typed: str) -> Choices:
        reading = self._db.read(word_filter.rules, server_of(interaction))
        rules = await read_for_suggestions(interaction, reading)
        return choices(
            (rule.words, rule.words) for rule in rules if typed.casefold() in rule.words.casefold()
        )


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, _WordsGroup(bot))
