"""The bases of buttons that find their code by their custom id, so that they work after any restart."""

from re import Match
from typing import Any, ClassVar, Self, cast

import discord
from discord import ui

from bot.jobs.models import Job
from bot.languages import Worded
from bot.ui.kit.host import Host, begin_to_handle, host_of
from bot.ui.kit.responses import tell


def template_of(action: str) -> str:
    """Return the pattern of a job button's custom id: its action, the job, and the number of the posting."""
    return rf"studii:{action}:(?P<job>[0-9a-f]{{16}})-(?P<posting>[0-9]+)"


def custom_id_of(action: str, job_id: str, posting: int) -> str:
    """Return the custom id of the button that does `action` for what a job has posted."""
    return f"studii:{action}:{job_id}-{posting}"


def look_of(
    action: str, job: Job, label: Worded, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> ui.Button[Any]:
    """Return the look of a job's button, for where its class can't be imported: the custom id finds it."""
    return ui.Button(label=str(label), style=style, custom_id=custom_id_of(action, job.id, job.posting))


class LastingButton(ui.DynamicItem[ui.Button[Any]], template="studii:none"):
    """Base of buttons. A subclass gives its template, and implements `pressed`, whose errors are shown."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction, _item: ui.Item[Any], match: Match[str], /
    ) -> Self:
        return cls.of_match(match)

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        """Return the item whose custom id matches the template. Its parts are the arguments, unless a
        subclass makes something else of them."""
        return cls(*cast(Any, match.groups()))

    async def callback(self, interaction: discord.Interaction) -> None:
        begin_to_handle(interaction)
        try:
            await self.pressed(interaction, host_of(interaction))
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person waiting
            await tell(interaction, error)

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        """Do it, for the person who pressed the button. They are shown any error."""
        raise NotImplementedError


class JobButton(LastingButton, template=template_of("none")):
    """Base of buttons about a job, of which each has an `action`."""

    action: ClassVar[str]
    label: ClassVar[Worded] = ""
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init_subclass__(cls, *, action: str) -> None:
        super().__init_subclass__(template=template_of(action))
        cls.action = action

    def __init__(self, job_id: str, posting: int, label: Worded | None = None) -> None:
        self.job_id = job_id
        self.posting = posting
        custom_id = custom_id_of(self.action, job_id, posting)
        worded = str(label or self.label)
        super().__init__(ui.Button(label=worded, style=self.style, custom_id=custom_id))

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the button for what the job posts now."""
        return cls(job.id, job.posting)

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(match["job"], int(match["posting"]))
