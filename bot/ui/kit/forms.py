"""Forms, and the message that says why one was refused."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import discord
from discord import ui

from bot.errors import Refused
from bot.languages import Worded, pgettext
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.first_answer import FORM_TOO_LATE, answering
from bot.ui.kit.host import begin_to_handle, host_of
from bot.ui.kit.layout import BAD, Piece, box, row
from bot.ui.kit.responses import (
    ALREADY_ACKNOWLEDGED,
    answer_if_possible,
    ask_buttons,
    may_be_shown,
    tell,
    words_for,
)
from bot.ui.kit.text import shortened

# https://discord.com/developers/docs/components/reference#modal
TITLE_LENGTH = 45  # characters of a form's title
FIELD_LABEL_LENGTH = 45
DESCRIPTION_LENGTH = 100
Handler = Callable[[discord.Interaction[Any]], Awaitable[None]]
OPEN_FOR = 15 * 60.0  # seconds; as long as Discord lets an interaction be answered


class Form(ui.Modal):
    """Base of forms that are waited for in memory. A subclass adds its fields, and implements `on_submit`.

    Each that is shown has a custom id of its own. `show_form` keeps nothing: what a custom id has room for
    is a button's (`bot.ui.panels.controls`).
    """

    def __init__(self, title: str) -> None:
        super().__init__(title=shortened(title, TITLE_LENGTH), timeout=OPEN_FOR)

    async def show(self, interaction: discord.Interaction) -> None:
        """Answer the interaction with this form. Raises `Refused` if it is too late for one."""
        if await answering(interaction) is not None:
            raise Refused(FORM_TOO_LATE)
        host_of(interaction).open_forms.add(self.custom_id, self)
        # By itself, the library would hear what is entered only once Discord has answered. That may be after
        # the person has entered it, or never.
        interaction._state.store_view(self)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        try:
            await interaction.response.send_modal(self)
        except DISCORD_ERRORS as error:
            if not may_be_shown(error):
                self.stop()
            if getattr(error, "code", None) != ALREADY_ACKNOWLEDGED:
                raise

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        begin_to_handle(interaction)
        return True

    async def on_error(self, interaction: discord.Interaction, error: Exception, /) -> None:
        self.stop()  # the person's app has closed it; discord.py stops it only without an error
        await tell(interaction, error)


async def show_form(
    interaction: discord.Interaction[Any], custom_id: str, title: str, *fields: ui.Item[Any]
) -> None:
    """Answer with a form of that custom id, by which what is entered is found, also after a restart.

    Raises `Refused` if it is too late for one.
    """
    if await answering(interaction) is not None:
        raise Refused(FORM_TOO_LATE)
    form = ui.Modal(title=shortened(title, TITLE_LENGTH), custom_id=custom_id)
    for one in fields:
        form.add_item(one)
    form.stop()  # discord.py keeps nothing of it
    try:
        await interaction.response.send_modal(form)
    except discord.HTTPException as error:
        if error.code != ALREADY_ACKNOWLEDGED:  # of a repetition, after the first was taken
            raise


def labelled(title: Worded, control: ui.Item[Any], about: Worded = "") -> ui.Label[Any]:
    """Return a form's field with its title and its description: as much of them as Discord takes."""
    text, description = shortened(str(title), FIELD_LABEL_LENGTH), shortened(str(about), DESCRIPTION_LENGTH)
    return ui.Label(text=text, description=description or None, component=control)


class OpenView(ui.LayoutView):
    """A message with one control that is waited for in memory, not found by its custom id."""

    def __init__(self, shown: Piece, control: ui.Button[Any] | ui.Select[Any], pressed: Handler) -> None:
        super().__init__(timeout=OPEN_FOR)
        self.add_item(shown)
        cast(Any, control).callback = pressed

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        begin_to_handle(interaction)
        return True

    async def on_error(
        self, interaction: discord.Interaction, error: Exception, item: ui.Item[Any], /
    ) -> None:
        await tell(interaction, error)


async def show_refused(interaction: discord.Interaction, error: Exception, again: Handler) -> None:
    """Tell the person alone why their form was refused, with Edit, which shows it as they filled it in.

    `again` shows it. What they typed is kept as long as an open form.
    """
    edit = ui.Button[Any](label=pgettext("button", "Edit"), style=discord.ButtonStyle.primary)
    said = box(BAD, words_for(interaction, error), row(edit, *ask_buttons(error)))
    view = OpenView(said, edit, again)
    host_of(interaction).open_forms.add(str(edit.custom_id), view)
    await answer_if_possible(interaction, view)
