"""The bot in a simulated Discord, on a real database. There is no engine: tests move jobs on by hand."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import discord
from cryptography.fernet import Fernet
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, MemberActor, ResponseMessage
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.catalog import Catalog, Tool
from bot.client.bot import StudiiBot
from bot.client.login import intents_for
from bot.credits import prices
from bot.db import Database
from bot.delivery import Answers, DiscordDelivery
from bot.errors import Refused
from bot.features.styles import Style, save
from bot.features.words import add
from bot.jobs import queries, transitions
from bot.jobs.confirm import Confirmation, Tapper
from bot.jobs.models import Job, JobState, Progress, SourcePhoto
from bot.resources import Resources
from bot.servers import keys, settings
from bot.servers.keys import Plan
from bot.ui.jobs.progress import progress_panel
from bot.vault import Vault
from tests.support.clock import FakeClock
from tests.support.database import database
from tests.support.jobs import settle_job
from tests.support.patience import PATIENCE
from tests.support.posts import Outbox, Posted, tell_end
from tests.support.resources import resources_on
from tests.support.simulated import NoAnswers, delivery_on, no_progress, simulated_discord

KEY = "stu_0123456789abcdef"
VAULT = Vault.open([Fernet.generate_key().decode()], Path("none.key"))
REFUSED_KEY = "stu_refused_by_studii"
MAX_SOURCE = 5_000_000  # bytes
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
BOT_PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, attach_files=True, read_message_history=True, add_reactions=True
)


@dataclass
class Place:
    """A server on the simulated Discord, with its channel, an admin and two members."""

    env: Env
    guild: GuildHandle
    channel: ChannelHandle
    admin: MemberActor
    maya: MemberActor
    tom: MemberActor


@dataclass
class Desk(Place):
    """A server with an admin and two members, and everything that the bot is made of but the engine.

    `outbox` sends what follows from taps.
    """

    bot: StudiiBot
    resources: Resources
    db: Database
    delivery: DiscordDelivery
    clock: FakeClock
    outbox: Outbox

    async def save_style(
        self,
        member: MemberActor,
        name: str,
        tool: Tool,
        inputs: dict[str, str],
        *,
        for_server: bool = False,
    ) -> Style:
        """Save a style as its form does."""
        new = self.guild.id, member.id, name, tool, inputs
        return await self.resources.db.write(save, *new, for_server=for_server)

    async def forbid(self, words: str) -> None:
        """Add a rule to the word filter."""
        await self.resources.db.write(add, self.guild.id, words)

    async def set_key(self) -> None:
        await self.resources.keys.set_key(self.guild.id, KEY, Plan.PRO)

    def channel_for_the_bot(self, name: str, **permissions: bool) -> ChannelHandle:
        """Make another channel, in which the bot has these permissions, or lacks them."""
        bot = self.env.bot.user
        assert bot is not None
        return self.guild.create_text_channel(
            name, overwrites={bot: discord.PermissionOverwrite(**permissions)}
        )

    def text_channel(self, channel_id: int | None = None) -> discord.TextChannel:
        """Return a channel as the bot knows it, by default the desk's."""
        channel = self.bot.get_channel(channel_id or self.channel.id)
        assert isinstance(channel, discord.TextChannel)
        return channel

    async def thread(self, channel: ChannelHandle | None = None) -> ChannelHandle:
        """Open a thread in a channel, by default the desk's."""
        parent = channel or self.channel
        kind = discord.ChannelType.public_thread
        await self.text_channel(parent.id).create_thread(name="ideas", type=kind)
        (thread,) = parent.threads
        return thread

    async def age_restricted_channel(self) -> ChannelHandle:
        """Make another channel, which is age-restricted."""
        made = self.guild.create_text_channel("adults")
        await self.env.settle()
        self.restrict_by_age(made)
        return made

    def restrict_by_age(self, channel: ChannelHandle, *, restricted: bool = True) -> None:
        """Let the bot take the channel for an age-restricted one: the simulation knows none."""
        self.text_channel(channel.id).nsfw = restricted

    async def channel_message(self, custom_id: str, channel_id: int | None = None) -> discord.Message:
        """Return a message of the bot's that everyone sees, with a button that has that custom id."""
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(discord.ui.ActionRow(discord.ui.Button(label="Press", custom_id=custom_id)))
        return await self.text_channel(channel_id).send(view=view)

    def close_dms(self) -> None:
        """Make all members refuse direct messages from the bot."""
        self.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)

    async def job(self) -> Job:
        """Return the job that was accepted last."""
        return (await self.db.read(queries.in_states, list(JobState)))[-1]

    async def photo(self) -> SourcePhoto:
        """Return the photo of the job that was accepted last."""
        source = (await self.job()).source
        assert source is not None
        return source

    async def move(self, job: Job, *states: JobState, **changes: Any) -> Job:
        """Take the job through those of `states` that it is not in yet; the last brings the changes."""
        if states[0] is job.state:
            states = states[1:]
        for state in states:
            given = changes if state is states[-1] else {}
            moved = await self.db.write(
                transitions.advance, job.id, job.state, state, at=self.clock.now(), **given
            )
            assert moved is not None
            job = moved
        return job

    async def change(self, job: Job, *, visible: bool = False, **changes: Any) -> None:
        """Change the job, but not its state."""
        await self.db.write(transitions.change, job.id, visible=visible, **changes)

    async def posted_progress(self, *jobs: Job) -> discord.Message:
        """Show the progress of jobs to all, as an earlier version did."""
        return await self.text_channel().send(view=progress_panel(jobs, self.bot.catalog, Progress()))

    async def told(self, job: Job) -> discord.Message:
        """Tell the job's person that it ended without a result, by direct message."""
        assert await tell_end(self.delivery, job, None) == Posted(None, by_dm=True)
        dm = await self.bot.create_dm(discord.Object(job.user_id))
        return await anext(dm.history())

    async def forget(self, who: MemberActor, label: str = "Erase in every server") -> InteractionResult:
        """Let the member have their data erased, and return the answer that then says so."""
        asked = await who.slash(self.channel, "settings")
        await who.click(answer_of(asked), label="Erase my data…")
        await who.click(answer_of(asked), label=label)
        return asked

    async def settle(self, job: Job, charge: int) -> Job:
        """Settle the job at this charge."""
        await self.db.write(settle_job, job.id, charge, self.clock.now())
        settled = await self.db.write(queries.get, job.id)
        assert settled is not None
        return settled


@asynccontextmanager
async def open_desk(
    folder: Path,
    *,
    catalog: Catalog | None = None,
    permissions: discord.Permissions = BOT_PERMISSIONS,
    check_errors: bool = True,
    tapped_before: bool = True,
    key: bool = False,
    clock: Any = None,
) -> AsyncGenerator[Desk]:
    """Open the bot in a simulated server, with its database in `folder`. No engine runs.

    `tapped_before`: the first taps of its people, which ask first, were long ago.
    """
    catalog = catalog or Catalog.load()
    clock = clock or FakeClock()
    url = await database(folder)
    async with Database.open(url) as db:
        resources = await resources_on(
            db,
            folder,
            clock,
            catalog=catalog,
            check_key=_check,
            max_source_bytes=MAX_SOURCE,
        )
        bot, delivery = make_bot(catalog, clock, resources)
        async with simulated_discord(bot, check_errors=check_errors, settle_timeout=PATIENCE) as env:
            place = build_place(env, permissions)
            if tapped_before:
                for one in (place.admin, place.maya, place.tom):
                    await db.write(has_tapped, place.guild.id, one.id)
            outbox = Outbox(db, clock, lambda: desk.delivery)
            desk = Desk(
                **vars(place),
                bot=bot,
                resources=resources,
                db=db,
                delivery=delivery,
                clock=clock,
                outbox=outbox,
            )
            keep_answers(desk)
            if key:
                await desk.set_key()
            async with outbox.running():
                yield desk


def keep_answers(
    desk: Desk, progress_of: Callable[[str], Awaitable[Progress]] = no_progress, vault: Vault = VAULT
) -> None:
    """Let the bot keep its answers from now on, as in a life of its own. Nothing edits them."""
    bot, clock = desk.bot, desk.clock
    given = bot.catalog, bot.readers, progress_of
    answers = Answers(desk.db, desk.db, vault, clock, bot, *given)
    bot.attach(desk.resources, clock, answers, progress_of)
    rules = partial(desk.db.read, settings.of)
    desk.delivery = delivery_on(bot, bot.catalog, rules=rules, readers=bot.readers, answers=answers)


def make_bot(
    catalog: Catalog, clock: FakeClock, resources: Resources, *, intents: discord.Intents | None = None
) -> tuple[StudiiBot, DiscordDelivery]:
    bot = StudiiBot(catalog, intents=intents or intents_for(photos=True))
    delivery = delivery_on(bot, catalog, rules=partial(resources.db.read, settings.of), readers=bot.readers)
    bot.attach(resources, clock, NoAnswers(), no_progress)
    return bot, delivery


DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


def labels(shown: Any) -> list[str]:
    """Return the labels of the buttons that are shown."""
    return [str(piece.get("label")) for piece in pieces(shown) if piece["type"] == 2]


def has_tapped(session: Session, guild_id: int, user_id: int) -> None:
    """Let the member be one who has started a job by a tap in the server."""
    session.merge(Tapper(guild_id, user_id))


def all_questions(session: Session) -> list[Confirmation]:
    """Return all questions, oldest first."""
    return list(session.scalars(select(Confirmation).order_by(Confirmation.expires_at, Confirmation.id)))


async def learned(desk: Desk, charge: int, slug: str = "studio", **inputs: str) -> None:
    """Let Studii have charged so much for a job of that kind with the server's key."""
    tool, key = desk.bot.catalog.get(slug), await desk.db.write(keys.current, desk.guild.id)
    assert key is not None
    variant = tool.variant(tool.prepare({"prompt": "x", **inputs}, has_source=tool.prompt is None))
    await desk.db.write(prices.learn, key.lane, slug, variant, charge, desk.clock.now())


def texts(shown: Any) -> str:
    """Return all readable text of an answer or a message, line by line."""
    return "\n".join(piece["content"] for piece in pieces(shown) if piece["type"] == 10)


def read_alone(shown: InteractionResult) -> str:
    """Return the text of an answer that its person alone sees."""
    assert shown.ephemeral
    return texts(shown)


def started(shown: Any) -> bool:
    """Return whether the answer shows a job that was just accepted."""
    return any(str(piece.get("label")).startswith("Cancel job") for piece in pieces(shown))


def labelled(shown: Any, label: str) -> str:
    """Return the custom id of the button with that label, which may end with a price."""
    (found,) = (one for one in pieces(shown) if str(one.get("label")).split(" · ")[0] == label)
    return str(found["custom_id"])


async def press_more(who: MemberActor, message: Any, *labels: str) -> InteractionResult:
    """Press *More…* under a result, and then what it offers, one after the other."""
    shown = await who.click(message, custom_id=labelled(message, "More…"))
    for label in labels:
        shown = await press_in(who, shown, label)
    return shown


async def press_in(who: MemberActor, shown: InteractionResult, label: str) -> InteractionResult:
    """Press the button of that label in an answer."""
    return await who.click(answer_of(shown), custom_id=labelled(shown, label))


async def open_listed(who: MemberActor, shown: InteractionResult, place: int = 0) -> InteractionResult:
    """Open a job of the page of `/jobs`, in its place."""
    beginning = "studii:jobsopen:"
    (select,) = (one for one in pieces(shown) if str(one.get("custom_id")).startswith(beginning))
    chosen = [select["options"][place]["value"]]
    return await who.select(answer_of(shown), chosen, custom_id=select["custom_id"])


def answer_of(shown: InteractionResult) -> ResponseMessage:
    """Return the message that an interaction was answered with."""
    assert shown.response is not None, texts(shown)
    return shown.response


def pieces(shown: Any) -> list[Mapping[str, Any]]:
    """Return all components of an answer, a message or a panel, the outer ones first."""
    if isinstance(shown, InteractionResult):
        shown = shown.followups[-1] if shown.followups else shown.response
    if isinstance(shown, discord.ui.LayoutView):
        return list(_walk(shown.to_components()))
    if isinstance(shown, discord.Message):
        return list(_walk([component.to_dict() for component in shown.components]))
    return list(_walk(shown.components))


def _walk(components: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for component in components:
        yield component
        yield from _walk(component.get("components", ()))
        if "accessory" in component:
            yield from _walk((component["accessory"],))


async def _check(secret: str) -> None:
    if secret == REFUSED_KEY:
        raise Refused("Studii refused this key. Copy it again.")


def build_place(env: Env, permissions: discord.Permissions = BOT_PERMISSIONS) -> Place:
    """Make a server in which the bot has these permissions, and no others."""
    guild = env.create_guild("Harbour Street Studio")
    state = env.backend.get_guild(guild.id)
    (own_role,) = (state.roles[role] for role in state.members[env.backend.bot_user.id].role_ids)
    env.backend.edit_role(guild.id, own_role.id, {"permissions": permissions.value})
    channel = guild.create_text_channel("photo-desk")
    managers = guild.create_role("Studio admin", permissions=discord.Permissions(manage_guild=True))
    nora = guild.add_member(env.create_user("nora", global_name="Nora"), roles=[managers])
    maya, tom = (guild.add_member(env.create_user(one, global_name=one.title())) for one in ("maya", "tom"))
    return Place(env, guild, channel, nora, maya, tom)
