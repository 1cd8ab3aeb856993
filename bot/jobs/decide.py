"""Decide which of several requests become jobs, in order of arrival. Pure: nothing is read or written."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.catalog import Catalog, Tool
from bot.credits.budgets import Alert, BudgetState, Estimate, budget_alert, price_of_all
from bot.credits.limits import (
    LimitReached,
    MemberLimits,
    MemberState,
    MemberUse,
    ensure_within,
    state_of_member,
)
from bot.credits.prices import PriceTable
from bot.errors import CreditsShort, CreditsWanted, Refused
from bot.features.words import WordEffect, WordRule, WordsRefused, met
from bot.jobs.confirm import ConfirmationNeeded, Repeated, WhyAsk, why_ask
from bot.jobs.holds import refuses
from bot.jobs.models import Approval, Hold, Job, JobRequest, JobState
from bot.languages import Message, lazy, nlazy, paragraph
from bot.reasons import Reason, ReasonCode
from bot.servers.access import AccessRules, Block, ensure_may, option_denial
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings

NO_KEY = lazy("This server has no Studii key yet. An admin can set one with `/studii setup`.")


class CreditsShortForAll(CreditsShort):
    """Some of the jobs of a set could be accepted, but not all."""

    def __init__(self, room: int, wanted: int, reason: Refused) -> None:
        none_started = nlazy(
            "{room} of {count} can start now, so none was started.",
            "Only {room} of these {count} can start now, so none was started.",
            wanted,
            room=room,
        )
        super().__init__(paragraph(none_started, reason))
        if isinstance(reason, CreditsShort):
            self.wanted = reason.wanted


class KeyHeld(Refused):
    """Studii does not serve the server's key, for that `reason`; it is tried again at `until`."""

    default = lazy("Studii isn't accepting this server's key right now.")

    def __init__(self, reason: Reason, until: datetime) -> None:
        super().__init__()
        self.reason, self.until = reason, until


class KeyOutOfCredits(KeyHeld, CreditsShort):
    """The account of the server's key has no credits left."""


@dataclass(slots=True)
class ServerState:
    """A server, and what it and the members concerned have used. Decisions change it.

    `prices` are those with its key. `budget` is None for a server that takes no
    jobs. `tapped_before` are those of the members who have started a job by a tap.
    """

    settings: GuildSettings
    key: StudiiKey | None
    hold: Hold | None
    access: AccessRules
    words: Collection[WordRule]
    limits: MemberLimits = field(default_factory=MemberLimits)
    prices: PriceTable = field(default_factory=PriceTable)
    budget: BudgetState | None = None
    members: dict[int, MemberUse] = field(default_factory=dict[int, MemberUse])
    tapped_before: set[int] = field(default_factory=set[int])


@dataclass(slots=True)
class Decisions:
    """Decides requests one after the other. `jobs` and `alerts` are what is to be stored for it.

    `refusing` are the members who forbid others to use their photos; `done` are the `once` keys of jobs that
    are being done, or have been; `open_questions` are the confirmations that can still be given. `preferred`
    are inputs that members prefer, by server, member and tool.
    """

    catalog: Catalog
    at: datetime
    max_source_bytes: int
    servers: dict[int, ServerState]
    refusing: Collection[int] = ()
    done: set[str] = field(default_factory=set[str])
    open_questions: set[str] = field(default_factory=set[str])
    preferred: Mapping[tuple[int, int, str], Mapping[str, str]] = field(
        default_factory=dict[tuple[int, int, str], Mapping[str, str]]
    )
    jobs: list[Job] = field(default_factory=list[Job])
    alerts: dict[tuple[int, str, str], Alert] = field(default_factory=dict[tuple[int, str, str], Alert])

    def decide(self, request: JobRequest, *, asks: bool = True) -> Job:
        """Accept the request, or raise `Refused` with the reason and who can change it.

        A request that is refused changes nothing for those after it. Raises `ConfirmationNeeded` if the
        person has to be asked first, unless it `asks` not.
        """
        tool = self.catalog.get(request.tool)
        server, budget, key = self._open(request, tool)
        approval = approval_of(server, request, tool)
        if request.once is not None and request.once in self.done:
            raise Repeated
        ensure_not_held(server, key, self.at)
        price = server.prices.expected(tool, request.inputs)
        member = self._member(server, budget, request)
        try:
            ensure_within(member, price)
        except CreditsShort as short:
            if budget.left < price.amount:
                self._alert(budget, least=server.prices.least_of_all(self.catalog))
            short.wanted = CreditsWanted(request.guild_id, tool.slug, price.amount, request.channel_id)
            raise
        seen = None
        if approval is not None:
            seen = WhyAsk.RESULT_SEEN if server.access.wants_results else WhyAsk.SEEN
        if asks:
            self._ask_first(server, [request], price, seen)
        # With neither a photo, an approval nor a hold there is nothing to be made ready. Also a job that the
        # hold does not refuse takes it over, as it may be the one that is to try the key.
        ready = request.source is None and approval is None and server.hold is None
        job = self._new_job(
            request,
            tool,
            price,
            state=JobState.WAITING if ready else JobState.RECEIVED,
            approval=approval,
            result_approval=Approval.WANTED if seen is WhyAsk.RESULT_SEEN else None,
            allowance_role=None if member.allowance is None else member.allowance.role_id,
        )
        self._count(server, budget, job)
        return job

    def decide_all(self, requests: Sequence[JobRequest]) -> list[Job]:
        """Accept all these requests of one person in a server, or none of them.

        Raises `Refused` as `decide` does; `CreditsShortForAll` if some of them could be accepted.
        """
        if len(requests) == 1:
            return [self.decide(requests[0])]
        guild_id = requests[0].guild_id
        server, done, before, alerts = self.servers[guild_id], self.done, len(self.jobs), self.alerts
        self.servers[guild_id] = replace(server, members=dict(server.members))
        self.done, self.alerts = set(done), dict(alerts)
        accepted, refusal = self.as_many_as_possible(requests)
        try:
            if refusal is None:
                self._ask_first(server, requests, price_of_all([price_of(job) for job in accepted]))
                return accepted
        except (ConfirmationNeeded, Repeated) as unasked:
            refusal = unasked
        self.servers[guild_id], self.done, self.alerts = server, done, alerts
        del self.jobs[before:]
        if accepted and not isinstance(refusal, ConfirmationNeeded | Repeated | WordsRefused):
            reason = self._why_not_all(server, requests, accepted, refusal)
            raise CreditsShortForAll(len(accepted), len(requests), reason) from refusal
        raise refusal

    def as_many_as_possible(self, requests: Sequence[JobRequest]) -> tuple[list[Job], Refused | None]:
        """Accept the requests up to the first that is refused, and return why that is."""
        accepted: list[Job] = []
        for request in requests:
            try:
                accepted.append(self.decide(request, asks=False))
            except Refused as refusal:
                return accepted, refusal
        return accepted, None

    def ensure_possible(self, request: JobRequest) -> bool:
        """Return whether the job may also be private.

        Raises `Refused` if no job of the tool could be accepted now, with any inputs. To be asked before
        a person fills in a form for nothing.
        """
        tool = self.catalog.get(request.tool)
        server, budget, key = self._open(request, tool)
        approval_of(server, request, tool)
        ensure_not_held(server, key, self.at)
        ensure_within(self._member(server, budget, request), server.prices.least(tool))
        return option_denial(server.access, request.context, "private") is None

    def block(self, block: Block) -> None:
        """Decide about the member's next requests with that block, which the server has now."""
        server = self.servers[block.guild_id]
        server.access = replace(server.access, blocked={**server.access.blocked, block.user_id: block})

    def _open(self, request: JobRequest, tool: Tool) -> tuple[ServerState, BudgetState, StudiiKey]:
        server = self.servers[request.guild_id]
        if (why := why_closed(server.settings)) is not None:
            raise Refused(why)
        if server.key is None or server.budget is None:
            raise Refused(NO_KEY)
        ensure_may(server.access, request, tool, author_refuses=request.photo_author in self.refusing)
        return server, server.budget, server.key

    def _member(self, server: ServerState, budget: BudgetState, request: JobRequest) -> MemberState:
        used = server.members.get(request.user_id, MemberUse())
        return state_of_member(budget, server.limits, request.user_id, request.context.roles, used, self.at)

    def _ask_first(
        self, server: ServerState, requests: Sequence[JobRequest], price: Estimate, seen: WhyAsk | None = None
    ) -> None:
        """Raise `ConfirmationNeeded` if the person has to be asked before the jobs start, at that price
        together. Else they start: their question is answered."""
        request, *others = requests
        if request.confirmation is not None and request.confirmation not in self.open_questions:
            raise Repeated
        shown = request.shown_price
        why = why_ask(
            replace(request, shown_price=None if shown is None else shown * len(requests)),
            price.amount,
            above=server.settings.confirm_above,
            tapped_before=request.user_id in server.tapped_before,
            seen=seen,
        )
        if why is not None:
            raise ConfirmationNeeded(request, price, why, others)
        # No set is refused after this, so it need not be undone.
        if request.confirmation is not None:
            self.open_questions.discard(request.confirmation)
            if request.tapped is not None:
                server.tapped_before.add(request.user_id)

    def _why_not_all(
        self, server: ServerState, requests: Sequence[JobRequest], jobs: Sequence[Job], refusal: Refused
    ) -> Refused:
        """Return why no more than these jobs can be accepted: `refusal`, counted without them."""
        first = jobs[0]
        if server.budget is None or not isinstance(refusal, CreditsShort | LimitReached):
            return refusal
        price = price_of_all([price_of(first)] * len(requests))
        try:
            ensure_within(self._member(server, server.budget, requests[0]), price, len(requests))
        except CreditsShort as short:
            short.wanted = CreditsWanted(first.guild_id, first.tool, price.amount, first.channel_id)
            return short
        except LimitReached as reached:
            return reached
        return refusal

    def _count(self, server: ServerState, budget: BudgetState, job: Job) -> None:
        self.jobs.append(job)
        if job.once is not None:
            self.done.add(job.once)
        used = server.members.get(job.user_id, MemberUse())
        server.members[job.user_id] = replace(
            used,
            usage=used.usage.with_reserved(job.estimate),
            going=used.going + 1,
            starts=(*used.starts, self.at),
        )
        server.budget = replace(budget, usage=budget.usage.with_reserved(job.estimate))
        self._alert(server.budget)

    def _alert(self, budget: BudgetState, *, least: int | None = None) -> None:
        if (alert := budget_alert(budget, least=least)) is not None:
            self.alerts.setdefault((budget.settings.guild_id, *alert[:2]), alert)

    def _new_job(self, request: JobRequest, tool: Tool, price: Estimate, **more: Any) -> Job:
        source = request.source
        if source is not None and not source.size:
            # Discord does not say how large it is: it may be as large as any that is taken.
            source = replace(source, size=self.max_source_bytes)
        return Job(
            id=secrets.token_hex(8),
            guild_id=request.guild_id,
            channel_id=request.channel_id,
            user_id=request.user_id,
            tool=tool.slug,
            inputs=dict(request.inputs),
            variant=tool.variant(request.inputs),
            source=source,
            private=request.private,
            version=1,
            created_at=self.at,
            changed_at=self.at,
            estimate=price.amount,
            price_learned=price.learned,
            reserved=price.amount,
            settled=0,
            photo_author=request.photo_author,
            origin_message_id=request.origin_message_id,
            once=request.once,
            tapped=request.tapped,
            age_restricted=request.age_restricted,
            post_channel_id=request.post_channel_id,
            in_thread=request.in_thread,
            set_id=request.set_id,
            **more,
        )


def why_closed(settings: GuildSettings) -> Message | None:
    """Return why the server takes no jobs of any member now, or None if it takes them."""
    if settings.key_id is None:
        return NO_KEY
    if not settings.paused:
        return None
    return lazy(
        "New jobs are paused in this server. Jobs already started will finish. An admin can "
        "resume with `/studii setup`."
    )


def approval_of(server: ServerState, request: JobRequest, tool: Tool) -> Approval | None:
    """Return whether the job needs a moderator's approval. Raises `WordsRefused` if a rule refuses it."""
    rules = server.access
    rule = met(server.words, tool.texts(request.inputs))
    if rule is not None and (rule.effect is WordEffect.REFUSE or rules.settings.approval_channel is None):
        raise WordsRefused(rule, request, tool)
    return Approval.WANTED if rule is not None or rules.wants_approval(tool.slug, request.context) else None


def ensure_not_held(server: ServerState, key: StudiiKey, at: datetime) -> None:
    """Raise `Refused` while it is known that Studii would not take the job; the first after that tries."""
    if server.hold is not None and refuses(server.hold, key, at):
        no_credits = server.hold.reason.code == ReasonCode.OUT_OF_CREDITS
        raise (KeyOutOfCredits if no_credits else KeyHeld)(server.hold.reason, server.hold.until)


def price_of(job: Job) -> Estimate:
    """Return the price at which a job was accepted."""
    return Estimate(job.estimate, learned=bool(job.price_learned))
