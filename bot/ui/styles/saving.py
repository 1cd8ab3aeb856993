"""Save as style: the form under a result that keeps its tool, inputs and prompt under a name."""

from collections.abc import Mapping
from typing import Any

import discord
from discord import ui

from bot.errors import Refused, StudiiBotError
from bot.features.styles import save
from bot.jobs.models import Job, JobState
from bot.languages import gettext as _, lazy, plazy
from bot.ui.jobs.buttons import INPUTS_ERASED, job_for
from bot.ui.jobs.forms.tool_form import choice_field
from bot.ui.jobs.wording import prompt_of
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.forms import labelled
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import MANAGERS_ONLY, manages, stays_there
from bot.ui.styles.panel import name_field, prompt_field, show_style

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
    """Show the form that saves what a job was asked for as a style."""
    job = await read_before_form(press.interaction, _job(press, job_id))
    await press.ask(SAVE_LABEL, *_asked(press, job, {}))


@save_as_style.submitted
async def saved(press: Press, job_id: Id, posting: int) -> None:
    """Save the style; the form comes back as it was filled in if it is refused."""
    interaction, host, entered = press.interaction, press.host, press.values
    job = await _job(press, job_id)
    tool, owners, inputs = host.catalog.get(job.tool), _owners(interaction, job), dict(job.inputs)
    owner = entered.get("owner", owners[0])
    if tool.prompt is not None:
        inputs[tool.prompt.name] = entered["prompt"].strip()
    try:
        if owner not in owners:
            raise Refused(NOT_SHARED if manages(interaction) else MANAGERS_ONLY)
        style = await host.services.db.write(
            save,
            job.guild_id,
            interaction.user.id,
            entered["name"],
            tool,
            inputs,
            host.clock.now(),
            for_server=owner == SERVER_FIELD,
            job_id=None if job.private else job.id,
        )
    except StudiiBotError as refusal:
        await press.ask_again(refusal, SAVE_LABEL, *_asked(press, job, entered))
    else:
        await show_style(interaction, style, str(STYLE_SAVED.using(tool=tool.slug)))


async def _job(press: Press, job_id: str) -> Job:
    """Return the job. Raises `Refused` if the person can't save a style from it."""
    job = await job_for(press.interaction, press.host.services, job_id)
    _owners(press.interaction, job)
    return job


def _owners(interaction: discord.Interaction, job: Job) -> list[str]:
    """Return whose style it can be: people save their own results, for themselves; admins those of others
    too, for the server.
    """
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
    return [*([MINE_FIELD] if own else []), *([SERVER_FIELD] if admin and shared else [])]


def _asked(press: Press, job: Job, given: Mapping[str, Any]) -> list[ui.Item[Any]]:
    """Return the fields: the style's name, its prompt, and if there is a choice, whose it is.

    They hold what was entered before.
    """
    tool, owners = press.host.catalog.get(job.tool), _owners(press.interaction, job)
    fields: list[ui.Item[Any]] = [name_field(given)]
    if tool.prompt is not None:
        typed = given.get("prompt", prompt_of(tool, job.inputs))
        fields.append(prompt_field(typed, tool.prompt.max_length))
    if len(owners) > 1:
        labels = {value: str(label) for value, label in OWNERS.items()}
        chosen = given.get("owner", MINE_FIELD)
        fields.append(labelled(_("Whose style"), choice_field("owner", labels, chosen, required=True)))
    return fields
