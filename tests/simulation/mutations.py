"""Planted defects of the bot, each of which the books have to find: `python -m tests.simulation --mutations`.

A mutation names what it replaces by its path, and makes the replacement from the original. When code moves,
its path moves here. They are defects of behaviour, not of a way to write it.
"""

import asyncio
import importlib
import inspect
import multiprocessing
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from msgspec import structs

from bot.jobs import transitions
from bot.jobs.models import JobState
from bot.studii import BadInputs, NotSent, OutcomeUnknown, StudiiError
from tests.simulation.run import kind, simulate
from tests.simulation.world import GENERAL, MEMBERS

SEEDS, HOURS, PACE = 50, 1.2, 4.0  # hours in which as much happens as in four times as many
HELD_BACK = 30.0  # seconds that a copy of what should be read is kept


@dataclass(frozen=True)
class Mutation:
    """A defect: what it is, what it replaces, and how."""

    name: str
    path: str
    make: Callable[[Any], Any]

    @contextmanager
    def planted(self) -> Generator[None]:
        """Replace the original in this block, wherever a module has it."""
        owner, name = _found(self.path)
        original = inspect.getattr_static(owner, name)
        made = self.make(original)
        places = [(owner, name)]
        if inspect.ismodule(owner):
            modules = [one for path, one in sorted(sys.modules.items()) if path.startswith("bot")]
            places = [(one, key) for one in modules for key, it in list(vars(one).items()) if it is original]
        for place, key in places:
            setattr(place, key, made)
        try:
            yield
        finally:
            for place, key in places:
                setattr(place, key, original)


def _found(path: str) -> tuple[Any, str]:
    """Return the module or class, and the name in it, that a path leads to."""
    *parts, name = path.split(".")
    for number in range(len(parts), 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:number]))
        except ModuleNotFoundError:
            continue
        for part in parts[number:]:
            owner = getattr(owner, part)
        return owner, name
    raise LookupError(path)


# Replacements that are needed more than once.


def _always(value: Any) -> Callable[[Any], Any]:
    """Return the same, whatever is asked."""

    def always(*_args: Any, **_more: Any) -> Any:
        return value

    return lambda _: always


def _first_key(original: Any) -> Any:
    known = list[str]()

    def secret(self: Any, key: Any) -> str:
        known.append(original(self, key))
        return known[0]

    return secret


def _answered_anew(original: Any) -> Any:
    def confirmed(self: Any, context: Any) -> Any:
        return [replace(one, once=None, confirmation=None, tapped=None) for one in original(self, context)]

    return confirmed


# The defects.


def _twice(original: Any) -> Any:
    async def twice(*args: Any, **more: Any) -> Any:
        await original(*args, **more)
        return await original(*args, **more)

    return twice


def _lost_as(error: StudiiError) -> Callable[[Any], Any]:
    """Take a lost answer for another error."""

    def planted(original: Any) -> Any:
        def not_taken(session: Any, tuning: Any, job_id: Any, key_id: Any, met: Any, at: Any) -> Any:
            met = error if isinstance(met, OutcomeUnknown) else met
            return original(session, tuning, job_id, key_id, met, at)

        return not_taken

    return planted


def _sent_again(original: Any) -> Any:
    def recover(session: Any, tuning: Any, job_ids: Any, at: Any) -> None:
        for job_id in job_ids:
            transitions.wait(session, job_id, JobState.SUBMITTING, at)
        original(session, tuning, job_ids, at)

    return recover


def _kept(original: Any) -> Any:
    def settle(session: Any, job: Any, charge: int, at: Any) -> Any:
        return original(session, job, charge, at) if charge else job

    return settle


def _estimate(_: Any) -> Any:
    def charge_of(job: Any, _told: Any = None) -> Any:
        return job.estimate

    return charge_of


def _deaf_to_refunds(original: Any) -> Any:
    def charge_of(job: Any, told: Any = None) -> Any:
        return original(job, told or None)

    return charge_of


def _without_lines(original: Any) -> Any:
    def add(session: Any, lines: Any) -> None:
        if kept := [one for one in lines if one["kind"] != "release"]:
            original(session, kept)

    return add


def _nonceless(_: Any) -> Any:
    return property(lambda _post: None)


def _for_all(_: Any) -> Any:
    def places(jobs: Any) -> list[str]:
        return [f"c{jobs[0].channel_id}"]

    return places


def _for_the_first(original: Any) -> Any:
    def places(jobs: Any) -> list[str]:
        return original(jobs) if jobs[0].private else [f"c{GENERAL}"]

    return places


def _raw(_: Any) -> Any:
    def plain(text: str, limit: int, *_args: Any, **_more: Any) -> str:
        return text[:limit]

    return plain


def _stale_budget(original: Any) -> Any:
    known = dict[int, Any]()

    def use_of_members(session: Any, taking: Any, at: Any) -> Any:
        found = original(session, taking, at)
        for guild_id, (budget, members) in found.items():
            old = known.get(guild_id)
            if old is None or not 0 <= (at - old[0]).total_seconds() < HELD_BACK:
                old = known[guild_id] = (at, budget)
            found[guild_id] = (old[1], members)
        return found

    return use_of_members


def _later(original: Any) -> Any:
    async def later(*args: Any, **more: Any) -> Any:
        await asyncio.sleep(4)
        return await original(*args, **more)

    return later


def _settled_alone(_: Any) -> Any:
    return property(lambda self: self.settled)


def _lasting(original: Any) -> Any:
    async def bounded(self: Any, answer: Any, jobs: Any) -> Any:
        return await original(self, replace(answer, created_at=self._clock.now()), jobs)

    return bounded


def _never_paused(_original: Any) -> Any:
    def pause(*_: Any, **__: Any) -> bool:
        return False

    return pause


def _unasked_approval(original: Any) -> Any:
    def approval_of(*args: Any) -> None:
        original(*args)

    return approval_of


def _declined_is_approved(_: Any) -> Any:
    def end(session: Any, jobs: Any, _reason: Any, _approver: Any, at: Any) -> Any:
        return [transitions.approve(session, job.id, at) for job in jobs]

    return end


def _untold(original: Any) -> Any:
    async def load(self: Any, post: Any) -> Any:
        ending = await original(self, post)
        return ending if ending is not None and ending.made else None

    return load


def _priced_by_estimate(original: Any) -> Any:
    def cost_words(job: Any) -> str:
        return original(replace(job, settled=job.estimate))

    return cost_words


def _unpriced(original: Any) -> Any:
    def cost_words(job: Any) -> str:
        return original(job if job.state == "succeeded" else replace(job, settled=0))

    return cost_words


def _first_photo(original: Any) -> Any:
    first = list[str]()

    async def create_job(self: Any, key: str, tool: str, inputs: Any, object_key: str | None) -> Any:
        if object_key is not None:
            first.append(object_key)
        return await original(self, key, tool, inputs, object_key and first[0])

    return create_job


def _terms_for_all(original: Any) -> Any:
    def terms_of(*args: Any) -> Any:
        return replace(original(*args), private=False)

    return terms_of


def _shown_to_all(original: Any) -> Any:
    async def answer(interaction: Any, panel: Any, *files: Any) -> Any:
        if interaction.response.is_done() or files:
            return await original(interaction, panel, *files)
        return await interaction.response.send_message(view=panel)

    return answer


def _anybodys(original: Any) -> Any:
    def new_job(self: Any, request: Any, *args: Any) -> Any:
        return replace(original(self, request, *args), user_id=MEMBERS[0])

    return new_job


def _restless(original: Any) -> Any:
    async def turn(*args: Any) -> float:
        return min(0.1, await original(*args))

    return turn


def _last_address(original: Any) -> Any:
    last = list[str]()

    async def job_status(*args: Any, **more: Any) -> Any:
        report = await original(*args, **more)
        if report.output_url is None:
            return report
        last.append(report.output_url)
        return structs.replace(report, output_url=last[-2] if len(last) > 1 else last[0])

    return job_status


MUTATIONS = (
    Mutation("a POST is repeated", "bot.studii.StudiiClient.create_job", _twice),
    Mutation(
        "a lost answer counts as not sent", "bot.engine.requests.not_taken", _lost_as(NotSent(reason=""))
    ),
    Mutation("a lost answer counts as refused", "bot.engine.requests.not_taken", _lost_as(BadInputs(400))),
    Mutation("what was being sent at a kill is sent again", "bot.engine.requests.recover", _sent_again),
    Mutation("a reservation is not released", "bot.credits.ledger.settle", _kept),
    Mutation("the estimate is charged", "bot.jobs.transitions.charge_of", _estimate),
    Mutation("a refund is not heard", "bot.jobs.transitions.charge_of", _deaf_to_refunds),
    Mutation("a line of the ledger is left out", "bot.credits.ledger._add", _without_lines),
    Mutation("a nonce is left out", "bot.posts.Post.nonce", _nonceless),
    Mutation("a private result is posted", "bot.jobs.results.places", _for_all),
    Mutation("a result is posted elsewhere", "bot.jobs.results.places", _for_the_first),
    Mutation("words are not escaped", "bot.ui.kit.layout.plain", _raw),
    Mutation(
        "the budget is read outside of its transaction",
        "bot.credits.limits.use_of_members",
        _stale_budget,
    ),
    Mutation("what is reserved does not count", "bot.credits.ledger.Usage.spent", _settled_alone),
    Mutation("jobs at once are not counted", "bot.jobs.decide.ensure_within", _always(None)),
    Mutation("a token is used after its time", "bot.delivery.answers.Answers._bounded", _lasting),
    Mutation(
        "the request limit is ignored",
        "bot.engine.rate.RateWindow._counted",
        _always(()),
    ),
    Mutation("the word filter lets all through", "bot.jobs.decide.met", _always(None)),
    Mutation("a pause is not heard", "bot.servers.settings.pause", _never_paused),
    Mutation("nothing waits for approval", "bot.jobs.decide.approval_of", _unasked_approval),
    Mutation("what is declined is started", "bot.jobs.approvals._end", _declined_is_approved),
    Mutation("a question can be answered twice", "bot.jobs.confirm.Confirmation.confirmed", _answered_anew),
    Mutation("the key before is used", "bot.engine.requests.Requests._secret", _first_key),
    Mutation("a failure is not told", "bot.engine.posts.Results.load", _untold),
    Mutation(
        "the price in a sentence is the estimate", "bot.ui.jobs.wording.cost_words", _priced_by_estimate
    ),
    Mutation("a charged failure is called free", "bot.ui.jobs.wording.cost_words", _unpriced),
    Mutation("another photo is uploaded", "bot.studii.StudiiClient.create_job", _first_photo),
    Mutation("a private job is run again for all", "bot.ui.jobs.progress.terms_of", _terms_for_all),
    Mutation("a private job is shown to all", "bot.ui.jobs.start.answer", _shown_to_all),
    Mutation("changes are not told", "bot.base.wake", _always(None)),
    Mutation("a job is another member's", "bot.jobs.decide.Decisions._new_job", _anybodys),
    Mutation("a press is not acknowledged", "bot.ui.kit.answers.acknowledge", _later),
    Mutation("an idle loop spins", "bot.engine.lanes.Lanes._turn", _restless),
    Mutation("another job's result is posted", "bot.studii.StudiiClient.job_status", _last_address),
)


def _finds(seed: int, number: int) -> str | None:
    """Return the first promise that a seed breaks with the defect, and does not break without it."""
    mutation = MUTATIONS[number]
    with mutation.planted():
        broken = simulate(seed, HOURS, pace=PACE).broken
    usual = {kind(line) for line in simulate(seed, HOURS, pace=PACE).broken} if broken else set[str]()
    return next((line for line in broken if kind(line) not in usual), None)


def find(mutation: Mutation, seeds: Sequence[int]) -> tuple[int, str] | None:
    """Return the first seed that finds the defect and what it finds, or None."""
    context = multiprocessing.get_context("fork")
    with context.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        found = zip(seeds, pool.imap(partial(_finds, number=MUTATIONS.index(mutation)), seeds), strict=True)
        return next(((seed, line) for seed, line in found if line is not None), None)


def find_all(wanted: str, seed: int | None) -> Iterator[tuple[Mutation, tuple[int, str] | None]]:
    """Look for each defect with these words in its name, with this seed alone or with all."""
    for mutation in MUTATIONS:
        if wanted in mutation.name:
            yield mutation, find(mutation, range(SEEDS) if seed is None else [seed])
