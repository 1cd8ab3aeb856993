"""`python -m bench.languages`: what the languages cost, in memory and in the time to word an answer."""

import gc
import os
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles
from time import perf_counter

from bench.machine.work import studio_job
from bot import languages
from bot.catalog import Catalog
from bot.credits.budgets import BudgetState, Estimate
from bot.credits.ledger import Usage, Window
from bot.credits.limits import MemberLimits, MemberUse, ensure_within, state_of_member
from bot.errors import CreditsShort
from bot.jobs.models import JobState, Progress
from bot.languages import Language, load_all, speaking
from bot.servers.settings import GuildSettings
from bot.ui.jobs.progress import progress_panel
from bot.ui.kit.reasons import error_words
from bot.ui.settings.credits import budget_lines

TIMES = 1000
MIB = 2**20
DAY, ITEMS = date(2026, 3, 5), ("a", "b", "c")
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def main() -> None:
    """Print the memory of the catalogues and of Babel's data, and the times of answers."""
    print("\n".join(_report()))  # noqa: T201 - its output


def _report() -> Iterator[str]:
    yield f"load {os.getloadavg()[0]:.1f}\n\nMiB"
    for what, taken in memory():
        yield f"  {what:42} {taken:6.2f}"
    yield f"\n{f'ms, {TIMES} answers of each language':44} {'median':>8} {'95 %':>8}"
    for what, times in answers().items():
        for language, taken in times.items():
            yield f"  {what:20} {language.value:21} {median(taken):8.3f} {quantiles(taken, n=20)[-1]:8.3f}"


def memory() -> list[tuple[str, float]]:
    """Return what the catalogues take, and then what Babel reads when a language is first spoken."""
    tracemalloc.start()
    found = [("all catalogues", _grown(load_all))]
    for language in Language:
        with speaking(language):
            found.append((f"Babel's data, {language.value} spoken as well", _grown(_say_everything)))
    tracemalloc.stop()
    return [*found, ("Babel's data of all languages", sum(taken for _, taken in found[1:]))]


def _grown(act: Callable[[], object]) -> float:
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    act()
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / MIB


def _say_everything() -> None:
    languages.number(1234567)
    languages.decimal(1234.5)
    languages.day_words(DAY)
    languages.day_words(DAY, short=True)
    languages.and_list(ITEMS)
    languages.or_list(ITEMS)


def answers() -> Mapping[str, Mapping[Language, list[float]]]:
    """Return the milliseconds that each answer took in each language. The languages take turns."""
    catalog, budget = Catalog.load(), _budget()
    job = replace(studio_job(1, 1), state=JobState.WAITING)
    progress = Progress(12, NOON + timedelta(minutes=5))
    kinds: Mapping[str, Callable[[], object]] = {
        "progress of a job": lambda: progress_panel([job], catalog, progress).to_components(),
        "budget": lambda: budget_lines(budget),
        "refusal": lambda: _refusal(budget),
    }
    return {what: _timed(word, Language) for what, word in kinds.items()}


def _budget() -> BudgetState:
    window = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
    return BudgetState(GuildSettings(1, confirm_above=1500), window, Usage(40, 57), 1200)


def _refusal(budget: BudgetState) -> str:
    try:
        member = state_of_member(budget, MemberLimits(), 3, (), MemberUse(), NOON)
        ensure_within(member, Estimate(100_000, learned=True))
    except CreditsShort as short:
        return error_words(short)
    raise AssertionError


def _timed(word: Callable[[], object], languages: Iterable[Language]) -> Mapping[Language, list[float]]:
    times: dict[Language, list[float]] = {language: [] for language in languages}
    for _ in range(TIMES):
        for language, taken in times.items():
            with speaking(language):
                started = perf_counter()
                word()
                taken.append((perf_counter() - started) * 1000)
    return times


if __name__ == "__main__":
    main()
