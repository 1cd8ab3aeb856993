"""/styles and /defaults: what a member saved and prefers. /studii styles: the server's styles."""

import discord
from discord import app_commands

from bot.catalog import MAX_SHORT_TEXT
from bot.client.bot import StudiiBot
from bot.errors import Refused
from bot.features import styles
from bot.features.styles import MAX_STYLE_NAME_CHARACTERS
from bot.languages import N_, gettext as _, lazy, sentences
from bot.ui.admin.photo_rules import inputs_from
from bot.ui.kit.first_answer import read_for_suggestions
from bot.ui.kit.host import host_of
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import server_of
from bot.ui.styles.choosing import style_choices, style_meant, style_of_server, usable_styles
from bot.ui.styles.defaults import open_defaults_form, set_default, settable, show_defaults
from bot.ui.styles.panel import quoted, server_styles_panel, show_style, styles_panel
from bot.ui.styles.server import Wanted, add_to_server
from cogs.studii.group import Choices, Command, add_to_studii, choices, function_command, tool_suggestions
from cogs.tools import suggested

Interaction = discord.Interaction
MAX_STYLE_PROMPT_CHARACTERS = 2000  # characters
MAX_INPUTS_CHARACTERS = 500
StyleName = app_commands.Range[str, 1, MAX_STYLE_NAME_CHARACTERS]
# What was chosen from a list, or a name.
Chosen = app_commands.Range[str, 1, 100]
Value = app_commands.Range[str, 1, MAX_SHORT_TEXT]
TOOL_MISSING = lazy("Name the `tool` whose input you want to set. Nothing was changed.")


def styles_command(bot: StudiiBot) -> Command:
    """Build `/styles`."""

    @function_command(name="styles", description=N_("Show your styles and this server's, use or remove one"))
    @app_commands.describe(name=N_("The style to show; leave out for a list"))
    @app_commands.autocomplete(name=_usable)
    @app_commands.guild_only()
    async def styles(interaction: Interaction, name: Chosen | None = None) -> None:
        if name is None:
            await answer(interaction, styles_panel(await usable_styles(interaction), bot.catalog))
        else:
            await show_style(interaction, style_meant(interaction, name))

    return styles


def defaults_command(bot: StudiiBot) -> Command:
    """Build `/defaults`."""

    @function_command(name="defaults", description=N_("Show or set the inputs that you prefer for each tool"))
    @app_commands.describe(
        tool=N_("The tool; alone it opens a form, left out it shows your defaults"),
        name=N_("The input to set, such as aspect_ratio"),
        value=N_("Your preferred value; leave out to clear it"),
    )
    @app_commands.rename(name="input")
    @app_commands.autocomplete(tool=_tools_with_inputs, name=_inputs, value=_values)
    @app_commands.guild_only()
    async def defaults(
        interaction: Interaction, tool: str | None = None, name: str | None = None, value: Value | None = None
    ) -> None:
        if tool is None:
            if name is not None or value is not None:
                raise Refused(TOOL_MISSING)
            await show_defaults(interaction)
        elif name is None:
            await open_defaults_form(interaction, bot.catalog.get(tool))
        else:
            await set_default(interaction, bot.catalog.get(tool), name, value)

    return defaults


async def _tools_with_inputs(interaction: Interaction, typed: str) -> Choices:
    tools = [one for one in host_of(interaction).catalog.tools.values() if one.inputs]
    return tool_suggestions(tools, typed)


class _StylesGroup(app_commands.Group):
    def __init__(self, bot: StudiiBot) -> None:
        super().__init__(
            name="styles", description=N_("Styles for everyone in this server, or for some roles")
        )
        self._catalog = bot.catalog
        self._db = bot.services.db
        self._photos = bot.services.photo_rules

    @app_commands.command(description=N_("Show this server's styles"))
    @app_commands.describe(name=N_("The style to show with its picture; leave out for a list"))
    async def show(self, interaction: Interaction, name: Chosen | None = None) -> None:
        if name is None:
            await self._answer(interaction)
        else:
            await show_style(interaction, style_of_server(interaction, name))

    @app_commands.command(description=N_("Add a style to this server, or let a role use one"))
    @app_commands.describe(
        name=N_("The style's name"),
        tool=N_("The tool that a new style is for"),
        prompt=N_("The prompt of a new style; {text} is where a member's own words go"),
        inputs=N_("The inputs of a new style, such as: style=rustic, room=bedroom"),
        role=N_("Only members with this role can use it; add it again for more roles"),
    )
    async def add(
        self,
        interaction: Interaction,
        name: StyleName,
        tool: str | None = None,
        prompt: app_commands.Range[str, 1, MAX_STYLE_PROMPT_CHARACTERS] | None = None,
        inputs: app_commands.Range[str, 1, MAX_INPUTS_CHARACTERS] | None = None,
        role: discord.Role | None = None,
    ) -> None:
        wanted = Wanted(name, tool, prompt, inputs_from(inputs), None if role is None else role.id)
        said = await add_to_server(interaction, wanted)
        await self._answer(interaction, said)

    @app_commands.command(description=N_("Remove a style from this server, or take it from a role"))
    @app_commands.describe(
        name=N_("The style to remove"),
        role=N_("Only take it from this role; without any role everyone can use it"),
    )
    async def remove(self, interaction: Interaction, name: Chosen, role: discord.Role | None = None) -> None:
        guild_id = server_of(interaction)
        style = await style_of_server(interaction, name)
        if role is None:
            await self._db.write(styles.remove_from_server, guild_id, style.name)
            await self._photos.reread(guild_id)  # its emoji run nothing now
            said = _("{style} is removed. Jobs made with it stay as they are.", style=quoted(style))
        else:
            left = (await self._db.write(styles.set_role, guild_id, style.name, role.id, may=False)).roles
            said = _("{style} is no longer for {role}.", style=quoted(style), role=role.mention)
            if not left:
                said = sentences(said, _("Everyone can use it now."))
        await self._answer(interaction, said)

    add.autocomplete("tool")(_tools_with_inputs)

    @show.autocomplete("name")
    @remove.autocomplete("name")
    async def _suggest(self, interaction: Interaction, typed: str) -> Choices:
        reading = self._db.read(styles.of_server, server_of(interaction))
        return choices(style_choices(await read_for_suggestions(interaction, reading), typed))

    async def _answer(self, interaction: Interaction, *changed: str) -> None:
        here = await self._db.read(styles.of_server, server_of(interaction))
        await answer(interaction, server_styles_panel(here, self._catalog, *changed))


async def _inputs(interaction: Interaction, typed: str) -> Choices:
    """Suggest inputs of the tool that was chosen before."""
    tool = host_of(interaction).catalog.tools.get(str(interaction.namespace.tool))
    names = [] if tool is None else [one.name for one in settable(tool)]
    return choices((one, one) for one in names if typed.lower() in one)


async def _values(interaction: Interaction, typed: str) -> Choices:
    """Suggest values of the input that was chosen before."""
    tool = host_of(interaction).catalog.tools.get(str(interaction.namespace.tool))
    inputs = [] if tool is None else settable(tool)
    one = next((one for one in inputs if one.name == interaction.namespace.input), None)
    found = [] if one is None else suggested(one, typed)
    return choices((value, value) for value in found)


async def _usable(interaction: Interaction, typed: str) -> Choices:
    return choices(style_choices(await read_for_suggestions(interaction, usable_styles(interaction)), typed))


async def setup(bot: StudiiBot) -> None:
    bot.tree.add_command(styles_command(bot))
    bot.tree.add_command(defaults_command(bot))
    add_to_studii(bot, _StylesGroup(bot))
