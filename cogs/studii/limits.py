"""/studii allowance and /studii grant: what each member may spend and start."""

from collections.abc import Sequence

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.credits import budgets, limits
from bot.credits.budgets import MAX_BUDGET
from bot.credits.limits import MAX_AT_ONCE, AllowanceScope, LimitChanges, StartRate
from bot.errors import Refused
from bot.languages import N_, lazy
from bot.services import Services
from bot.ui.admin.credits.limits import allowance_panel, grant_panel, limit_changes, member_panel
from bot.ui.kit.layout import Panel
from bot.ui.kit.responses import answer
from bot.ui.reading.member import roles_of
from bot.ui.reading.permissions import ids_there, server_of
from cogs.studii.group import Command, add_to_studii, function_command

MEMBER_OR_ROLE = lazy("Name a member or a role, not both. Nothing was changed.")
CREDITS_OR_NO_LIMIT = lazy("Use either `credits` or `no_limit`, not both. Nothing was changed.")
MINUTES_ALONE = lazy("`minutes` only works together with `starts`. Nothing was changed.")
FOR_EVERYONE = lazy(
    "`at_once` and `starts` apply to every member. Leave out `member` and `role`. Nothing was changed."
)


# Long: most of it is the list of the command's options.
def allowance_command(services: Services) -> Command:
    """Build `/studii allowance`."""

    @function_command(
        name="allowance", description=N_("Show or change how much each member can spend and start")
    )
    @app_commands.describe(
        credits_=N_("Credits per budget period; for everyone, or for the member or role you name"),
        member=N_("Whose allowance; alone, shows the member's current limits"),
        role=N_("The role whose members get this allowance; the highest of a member's roles applies"),
        at_once=N_("How many jobs a member can run at once; 0 for no limit"),
        starts=N_("How many jobs a member can start within `minutes`; 0 for no limit"),
        minutes=N_("The minutes for `starts`; leave out for 10"),
        no_limit=N_("Remove the allowance"),
    )
    @app_commands.rename(credits_="credits")
    async def allowance(
        interaction: discord.Interaction,
        credits_: app_commands.Range[int, 0, MAX_BUDGET] | None = None,
        member: discord.User | None = None,  # also one who has left
        role: discord.Role | None = None,
        at_once: app_commands.Range[int, 0, MAX_AT_ONCE] | None = None,
        starts: app_commands.Range[int, 0, MAX_AT_ONCE] | None = None,
        minutes: app_commands.Range[int, 1, 10_080] | None = None,
        no_limit: bool = False,
    ) -> None:
        guild_id = server_of(interaction)
        db = services.db
        whose = _whose(member, role)
        if no_limit and credits_ is not None:
            raise Refused(CREDITS_OR_NO_LIMIT)
        if minutes is not None and starts is None:
            raise Refused(MINUTES_ALONE)
        if whose[0] is not AllowanceScope.MEMBERS and (at_once is not None or starts is not None):
            raise Refused(FOR_EVERYONE)
        changes = LimitChanges()
        if credits_ is not None or no_limit:
            changes["allowance"] = (*whose, credits_)
        if at_once is not None:
            changes["at_once"] = at_once or None
        if starts is not None:
            changes["rate"] = StartRate(starts, 60 * (minutes or 10)) if starts else None
        if changes:
            await db.write(limits.set_limits, guild_id, **changes)
        budget = await db.read(budgets.state, guild_id, services.clock.now())
        changed = limit_changes(changes, budget)
        if member is not None:
            await answer(interaction, await _of_member(services, guild_id, member, changed=changed))
            return
        asked = None if role is None else role.id
        all_limits = await db.read(limits.of_server, guild_id)
        await answer(interaction, allowance_panel(all_limits, budget, ids_there(interaction), asked, changed))

    return allowance


def grant_command(services: Services) -> Command:
    """Build `/studii grant`."""

    @function_command(name="grant", description=N_("Show or add extra credits for this period"))
    @app_commands.describe(
        credits_=N_("How many credits to add to this period; negative to take back"),
        member=N_("The member to grant them to; leave out for the server"),
    )
    @app_commands.rename(credits_="credits")
    async def grant(
        interaction: discord.Interaction,
        credits_: app_commands.Range[int, -MAX_BUDGET, MAX_BUDGET] | None = None,
        member: discord.User | None = None,  # also one who has left
    ) -> None:
        guild_id = server_of(interaction)
        if credits_ is not None:
            whose, now = None if member is None else member.id, services.clock.now()
            await services.db.write(limits.grant, guild_id, whose, credits_, now)
        if member is not None:
            panel = await _of_member(services, guild_id, member, granted_now=credits_ or 0)
            await answer(interaction, panel)
            return
        granted = await services.db.read(limits.grants, guild_id, services.clock.now())
        await answer(interaction, grant_panel(granted, granted_now=credits_ or 0))

    return grant


def _whose(member: discord.User | None, role: discord.Role | None) -> tuple[AllowanceScope, int]:
    if member is not None and role is not None:
        raise Refused(MEMBER_OR_ROLE)
    if member is not None:
        return AllowanceScope.MEMBER, member.id
    return (AllowanceScope.MEMBERS, 0) if role is None else (AllowanceScope.ROLE, role.id)


async def _of_member(
    services: Services,
    guild_id: int,
    user: discord.User | discord.Member,
    *,
    granted_now: int = 0,
    changed: Sequence[str] = (),
) -> Panel:
    here = isinstance(user, discord.Member)
    roles = roles_of(user) if here else frozenset[int]()
    state = await services.db.read(limits.of_member, guild_id, user.id, roles, services.clock.now())
    return member_panel(user.id, state, granted_now=granted_now, here=here, changed=changed)


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, allowance_command(bot.services), grant_command(bot.services))
