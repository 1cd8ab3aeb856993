"""Decide which of several requests become jobs, in order of arrival. Pure: nothing is read or written."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.catalog import Catalog, Tool
from bot.credits.budgets import BudgetAlert, BudgetState, budget_alert
from bot.credits.limits import (
    LimitReached,
    MemberLimits,
    MemberState,
    MemberUse,
    ensure_all_within,
    ensure_credits_left,
    ensure_within,
    state_of_member,
)
from bot.credits.prices import Charges, Estimate, PriceTable, expected_cost, price_of_all
from bot.errors import CreditsShort, CreditsWanted, Refused
from bot.features.wording import NO_KEY
from bot.features.words import WordsRefused
from bot.jobs.confirm import WhyAsk, why_ask
from bot.jobs.models import Approval, Job, JobRequest, JobState
from bot.servers.access import Block, ensure_may, private_denial
from bot.servers.config import ServerConfig
from bot.servers.keys import StudiiKey
from bot.services.acceptance.checks import approval_of, ensure_not_held, ensure_open, first_state
from bot.services.acceptance.errors import ConfirmationNeeded, CreditsShortForAll, PricesRose, Repeated


@dataclass(slots=True)
class ServerState:
    """A server, and what it and the members concerned have used. Decisions change it.

    `charges` are what its key was charged, and what any was. `budget` is None for a server that takes no
    jobs. `tapped_before` are those of the members who have started a job by a tap.
    """

    config: ServerConfig
    limits: MemberLimits = field(default_factory=MemberLimits)
    charges: Charges = field(default_factory=Charges)
    budget: BudgetState | None = None
    members: dict[int, MemberUse] = field(default_factory=dict[int, MemberUse])
    tapped_before: set[int] = field(default_factory=set[int])


@dataclass(slots=True)
class _Decided:
    """The changes by the requests so far, on which the next decisions build."""

    servers: dict[int, ServerState]
    done: set[str]
    open_questions: set[str]
    jobs: list[Job] = field(default_factory=list[Job])
    alerts: dict[tuple[int, str, str], BudgetAlert] = field(
        default_factory=dict[tuple[int, str, str], BudgetAlert]
    )

    def copy(self, guild_id: int) -> "_Decided":
        """Return a copy in which a set of the server can be tried without a change here.

        What is noted of its question's answer is shared: no set is refused after that.
        """
        server = self.servers[guild_id]
        return _Decided(
            {**self.servers, guild_id: replace(server, members=dict(server.members))},
            set(self.done),
            self.open_questions,
            list(self.jobs),
            dict(self.alerts),
        )


class Acceptance:
    """Decides requests one after the other. `jobs` and `alerts` are what is to be stored for it.

    `refusing` are the members who forbid others to use their photos; `done` are the `once` keys of jobs that
    are being done, or have been; `open_questions` are the confirmations that can still be given.
    """

    def __init__(
        self,
        catalog: Catalog,
        servers: Mapping[int, ServerState],
        at: datetime,
        *,
        refusing: Collection[int],
        done: Collection[str],
        open_questions: Collection[str],
        max_source_bytes: int,
    ) -> None:
        self._decided = _Decided(dict(servers), set(done), set(open_questions))
        self._catalog = catalog
        self._at = at
        self._refusing = refusing
        self._max_source_bytes = max_source_bytes

    @property
    def jobs(self) -> Sequence[Job]:
        """Return the jobs that were accepted."""
        return self._decided.jobs

    @property
    def alerts(self) -> Collection[BudgetAlert]:
        """Return the alerts of budgets that are due."""
        return self._decided.alerts.values()

    def decide(self, request: JobRequest) -> Job:
        """Accept the request, or raise `Refused` with the reason and who can change it.

        A request that is refused changes nothing for those after it. Raises `ConfirmationNeeded` if the
        person has to be asked first.
        """
        return self._decide(request, asks=True)

    def _decide(self, request: JobRequest, *, asks: bool) -> Job:
        tool = self._catalog.get(request.tool)
        server, budget, key = self._open(request, tool)
        approval = approval_of(server.config, request, tool)
        if request.once is not None and request.once in self._decided.done:
            raise Repeated
        ensure_not_held(server.config, key, self._at)
        charges = server.charges
        price = expected_cost(charges, tool, request.inputs)
        member = self._member(server, budget, request)
        try:
            self._ensure_credits_left(budget, price, charges)
            ensure_within(member, price)
        except CreditsShort as short:
            short.wanted = CreditsWanted(request.guild_id, tool.slug, price.amount, request.channel_id)
            raise
        seen = None
        if approval is not None:
            seen = WhyAsk.RESULT_SEEN if server.config.access.approval.wants_results else WhyAsk.SEEN
        if asks:
            self._ask_first(server, [request], price, seen)
        role = None if member.allowance is None else member.allowance.role_id
        job = replace(
            self._new_job(request, tool, price),
            state=first_state(request, server.config, approval),
            allowance_role=role,
            approval=approval,
            result_approval=Approval.WANTED if seen is WhyAsk.RESULT_SEEN else None,
        )
        self._count(server, budget, job)
        return job

    def _ensure_credits_left(self, budget: BudgetState, price: Estimate, charges: Charges) -> None:
        try:
            ensure_credits_left(budget, price)
        except Refused:
            self._alert(budget, least=PriceTable(charges).least_of_all(self._catalog))
            raise

    def _ask_first(
        self, server: ServerState, requests: Sequence[JobRequest], price: Estimate, seen: WhyAsk | None = None
    ) -> None:
        """Raise `ConfirmationNeeded` if the person has to be asked before the jobs start, at that price
        together. Else they start: their question is answered."""
        request, *others = requests
        if request.confirmation is not None and request.confirmation not in self._decided.open_questions:
            raise Repeated
        shown = request.shown_price
        why = why_ask(
            replace(request, shown_price=None if shown is None else shown * len(requests)),
            price.amount,
            above=server.config.settings.confirm_above,
            tapped_before=request.user_id in server.tapped_before,
            seen=seen,
        )
        if why is not None:
            raise ConfirmationNeeded(request, price, why, others)
        if request.confirmation is not None:
            self._decided.open_questions.discard(request.confirmation)
            if request.tapped is not None:
                server.tapped_before.add(request.user_id)

    def decide_all(self, requests: Sequence[JobRequest]) -> list[Job]:
        """Accept all these requests of one person in a server, or none of them.

        Raises `Refused` as `decide` does; `CreditsShortForAll` if some of them could be accepted.
        """
        if len(requests) == 1:
            return [self.decide(requests[0])]
        guild_id = requests[0].guild_id
        before, self._decided = self._decided, self._decided.copy(guild_id)
        accepted, refusal = self.as_many_as_possible(requests)
        try:
            if refusal is None:
                self._ask_about_all(requests, accepted)
                return accepted
        except (ConfirmationNeeded, Repeated, PricesRose) as unasked:
            refusal = unasked
        self._decided = before
        if accepted and not isinstance(refusal, ConfirmationNeeded | Repeated | WordsRefused | PricesRose):
            reason = self._why_not_all(before.servers[guild_id], requests, accepted, refusal)
            raise CreditsShortForAll(len(accepted), len(requests), reason) from refusal
        raise refusal

    def _why_not_all(
        self, server: ServerState, requests: Sequence[JobRequest], jobs: Sequence[Job], refusal: Refused
    ) -> Refused:
        """Return why no more than these jobs can be accepted: `refusal`, counted without them."""
        budget, first = server.budget, jobs[0]
        if budget is None or not isinstance(refusal, CreditsShort | LimitReached):
            return refusal
        each = Estimate(first.estimate, learned=bool(first.price_learned))
        price = price_of_all([each] * len(requests))
        try:
            ensure_all_within(self._member(server, budget, requests[0]), price, len(requests))
        except CreditsShort as short:
            short.wanted = CreditsWanted(first.guild_id, first.tool, price.amount, first.channel_id)
            return short
        except LimitReached as reached:
            return reached
        return refusal

    def _ask_about_all(self, requests: Sequence[JobRequest], jobs: Sequence[Job]) -> None:
        """Ask about a set as a whole. Raises `PricesRose` if each costs more than the person saw."""
        server = self._decided.servers[requests[0].guild_id]
        prices = [Estimate(job.estimate, learned=bool(job.price_learned)) for job in jobs]
        try:
            self._ask_first(server, requests, price_of_all(prices))
        except ConfirmationNeeded as needed:
            if needed.why is WhyAsk.DEARER and needed.request.agreed is None:
                raise PricesRose(max(prices, key=lambda price: price.amount)) from None
            raise

    def as_many_as_possible(self, requests: Sequence[JobRequest]) -> tuple[list[Job], Refused | None]:
        """Accept the requests up to the first that is refused, and return why that is."""
        accepted: list[Job] = []
        for request in requests:
            try:
                accepted.append(self._decide(request, asks=False))
            except Refused as refusal:
                return accepted, refusal
        return accepted, None

    def ensure_possible(self, request: JobRequest) -> None:
        """Raise `Refused` if no job of the tool could be accepted now, with any inputs."""
        tool = self._catalog.get(request.tool)
        server, budget, key = self._open(request, tool)
        approval_of(server.config, request, tool)
        ensure_not_held(server.config, key, self._at)
        least = PriceTable(server.charges).least(tool)
        ensure_credits_left(budget, least)
        ensure_within(self._member(server, budget, request), least)

    def block(self, block: Block) -> None:
        """Decide about the member's next requests with that block, which the server has now."""
        server = self._decided.servers[block.guild_id]
        access = server.config.access
        # The configuration is shared with other transactions, which may yet see this one undone.
        blocked = {**access.blocked, block.user_id: block}
        server.config = replace(server.config, access=replace(access, blocked=blocked))

    def may_be_private(self, request: JobRequest) -> bool:
        """Return whether the server's rules let the job be private."""
        rules = self._decided.servers[request.guild_id].config.access
        return private_denial(rules, request.context) is None

    def _open(self, request: JobRequest, tool: Tool) -> tuple[ServerState, BudgetState, StudiiKey]:
        server = self._decided.servers[request.guild_id]
        ensure_open(server.config.settings)
        if server.config.key is None or server.budget is None:
            raise Refused(NO_KEY)
        refuses = request.photo_author in self._refusing
        ensure_may(server.config.access, request, tool, author_refuses=refuses)
        return server, server.budget, server.config.key

    def _member(self, server: ServerState, budget: BudgetState, request: JobRequest) -> MemberState:
        used = server.members.get(request.user_id, MemberUse())
        return state_of_member(budget, server.limits, request.user_id, request.context.roles, used, self._at)

    def _count(self, server: ServerState, budget: BudgetState, job: Job) -> None:
        self._decided.jobs.append(job)
        if job.once is not None:
            self._decided.done.add(job.once)
        used = server.members.get(job.user_id, MemberUse())
        server.members[job.user_id] = replace(
            used,
            usage=used.usage.with_reserved(job.estimate),
            going=used.going + 1,
            starts=(*used.starts, self._at),
        )
        server.budget = replace(budget, usage=budget.usage.with_reserved(job.estimate))
        self._alert(server.budget)

    def _alert(self, budget: BudgetState, *, least: int | None = None) -> None:
        alert = budget_alert(budget, least=least)
        if alert is not None:
            self._decided.alerts.setdefault((alert.guild_id, alert.kind, alert.key), alert)

    def _new_job(self, request: JobRequest, tool: Tool, price: Estimate) -> Job:
        source = request.source
        if source is not None and not source.size:
            # Discord does not say how large it is: it may be as large as any that is taken.
            source = replace(source, size=self._max_source_bytes)
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
            state=JobState.RECEIVED,
            version=1,
            created_at=self._at,
            changed_at=self._at,
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
        )
