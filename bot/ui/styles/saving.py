"""Save as style: the form under a result that keeps its tool, inputs and prompt under a name."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.catalog import Tool
from bot.errors import Refused, StudiiBotError
from bot.features.styles import MAX_STYLE_NAME_CHARACTERS, save
from bot.jobs.models import Job, JobState
from bot.languages import gettext as _, lazy, plazy
from bot.ui.jobs.buttons import INPUTS_ERASED, job_for
from bot.ui.jobs.forms.fields import Field, choice_field, value_of
from bot.ui.jobs.wording import prompt_of
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.forms import Form, RefusedForm
from bot.ui.kit.host import Host
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import MANAGERS_ONLY, manages, stays_there
from bot.ui.styles.panel import PROMPT_HELP, show_style

SAVE_LABEL = plazy("button", "Save as style")
ANOTHERS_FORM = lazy(
    "Only the person who asked for this can save it as a style. Run it again to get a result of your own."
)
NOT_SHARED = lazy(
    "That was made in an age-restricted channel, so it can't be this server's style. The member can save it "
    "as their own. Nothing was saved."
)
NOT_MADE = lazy("Only a job that has a result can be saved as a style.")
STYLE_SAVED = lazy("Style saved. Choose it with `style` in `/{tool}`.")
MINE_FIELD, SERVER_FIELD = "mine", "server"
OWNERS = {MINE_FIELD: lazy("Only for me"), SERVER_FIELD: lazy("For everyone in this server")}


@button("save:{job_id}-{posting}", label=SAVE_LABEL)
async def save_as_style(press: Press, job_id: Id, posting: int) -> None:
    """Show the form that saves what a job was asked for as a style.

    People save their own results, for themselves; admins those of others too, for the server.
    """
    interaction = press.interaction
    job = await read_before_form(interaction, job_for(interaction, press.host.services, job_id))
    tool = press.host.catalog.get(job.tool)
    own, admin = job.user_id == interaction.user.id, manages(interaction)
    if not own and not admin:
        raise Refused(ANOTHERS_FORM)
    if job.state is not JobState.SUCCEEDED:
        raise Refused(NOT_MADE)
    if job.scrubbed_at is not None:
        raise Refused(INPUTS_ERASED)
    shared = not stays_there(interaction.client, job)
    if not own and not shared:
        raise Refused(NOT_SHARED)
    owners = [*([MINE_FIELD] if own else []), *([SERVER_FIELD] if admin and shared else [])]
    await SaveForm(job, tool, owners).show(interaction)


class SaveForm(Form):
    """Asks for a style's name, its prompt, and if there is a choice, whose it is."""

    def __init__(
        self,
        job: Job,
        tool: Tool,
        owners: Sequence[str],
        name: str | None = None,
        prompt: str | None = None,
        owner: str | None = MINE_FIELD,
    ) -> None:
        """Prefill what the person has typed and chosen before."""
        super().__init__(str(SAVE_LABEL))
        self._job = job
        self._tool = tool
        self._owners = owners
        self._name = ui.TextInput[Any](custom_id="name", default=name, max_length=MAX_STYLE_NAME_CHARACTERS)
        self.add_field(_("Name"), self._name)
        self._prompt = self._add_prompt(prompt)
        self._owner = self._add_owner(owner) if len(owners) > 1 else None

    async def submitted(self, interaction: discord.Interaction, host: Host) -> None:
        try:
            await self._save(interaction, host)
        except StudiiBotError as refusal:
            await RefusedForm(self._show_again).show(interaction, refusal)

    async def _show_again(self, interaction: discord.Interaction) -> None:
        prompt = None if self._prompt is None else self._prompt.value
        owner = None if self._owner is None else value_of(self._owner)
        await SaveForm(self._job, self._tool, self._owners, self._name.value, prompt, owner).show(interaction)

    async def _save(self, interaction: discord.Interaction, host: Host) -> None:
        owner = value_of(self._owner) if self._owner is not None else self._owners[0]
        if owner == SERVER_FIELD and not manages(interaction):
            raise Refused(MANAGERS_ONLY)
        job, tool = self._job, self._tool
        inputs = dict(job.inputs)
        if self._prompt is not None and tool.prompt is not None:
            inputs[tool.prompt.name] = self._prompt.value.strip()
        saving = host.services.db.write(
            save,
            job.guild_id,
            interaction.user.id,
            self._name.value,
            tool,
            inputs,
            host.clock.now(),
            for_server=owner == SERVER_FIELD,
            job_id=None if job.private else job.id,
        )
        await show_style(interaction, saving, str(STYLE_SAVED.using(tool=tool.slug)))

    def _add_prompt(self, typed: str | None) -> ui.TextInput[Any] | None:
        one = self._tool.prompt
        if one is None:
            return None
        prompt = ui.TextInput[Any](
            custom_id="prompt",
            style=discord.TextStyle.paragraph,
            default=prompt_of(self._tool, self._job.inputs) if typed is None else typed,
            required=False,
            max_length=one.max_length,
        )
        self.add_field(_("Prompt"), prompt, str(PROMPT_HELP))
        return prompt

    def _add_owner(self, chosen: str | None) -> Field:
        labels = {value: str(label) for value, label in OWNERS.items()}
        owner = choice_field("owner", labels, chosen, required=True)
        self.add_field(_("Whose style"), owner)
        return owner
