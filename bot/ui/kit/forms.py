"""Forms and lists that people have open. Discord hands in what they choose there also when nothing here waits
for it any more, after a restart or a long while, and would show that it failed, without a reason."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, cast
from weakref import WeakValueDictionary

import discord
from discord import ui

from bot.errors import Refused
from bot.ui.kit.responses import tell

OUTDATED = (
    "That had been open for too long, or since before I was restarted. Please open it again. Nothing was "
    "changed, and nothing was charged."
)
NOT_THERE = "That button isn't in the message any more. Look at the message again. Nothing was changed."
# How the custom ids of what works for ever begin: those find their code by themselves.
LASTING = "studii:"

_Waiting = ui.Modal | ui.LayoutView


class OpenForms:
    """What is waited for, by its custom id; no longer than discord.py itself keeps it."""

    def __init__(self) -> None:
        self._waiting: WeakValueDictionary[str, _Waiting] = WeakValueDictionary()

    def add(self, custom_id: str, waiting: _Waiting) -> None:
        """It was shown, or is about to be."""
        self._waiting[custom_id] = waiting

    async def answer_for(self, interaction: discord.Interaction[Any]) -> None:
        """Tell the person if nothing else will answer what they handed in, chose or pressed."""
        kinds = (discord.InteractionType.modal_submit, discord.InteractionType.component)
        custom_id = str((interaction.data or {}).get("custom_id", ""))
        if interaction.type not in kinds:
            return
        if custom_id.startswith(LASTING):
            # discord.py finds the code of a button only if the message holds it.
            message = interaction.message
            if message is not None and custom_id not in _custom_ids(message.components):
                await tell(interaction, Refused(NOT_THERE))
            return
        waiting = self._waiting.get(custom_id)
        open_still = waiting is not None and not waiting.is_finished()
        if not open_still and not interaction.response.is_done():
            await tell(interaction, Refused(OUTDATED))


def _custom_ids(components: Iterable[Any]) -> Iterator[str | None]:
    for component in components:
        yield getattr(component, "custom_id", None)
        yield from _custom_ids(getattr(component, "children", ()))
        accessory = getattr(component, "accessory", None)
        if accessory is not None:
            yield from _custom_ids((accessory,))


class Keeper(Protocol):
    """What a form needs of the client that it is shown by."""

    @property
    def open_forms(self) -> OpenForms: ...


async def show_form(interaction: discord.Interaction[Any], form: ui.Modal) -> None:
    """Answer with a form."""
    cast(Keeper, interaction.client).open_forms.add(form.custom_id, form)
    await interaction.response.send_modal(form)
