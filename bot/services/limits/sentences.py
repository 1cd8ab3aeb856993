"""The sentences about members' limits."""

from bot.domain import Period
from bot.domain.limits import StartRate
from bot.languages import Message, lazy, nlazy
from bot.services.wording import granted_for

_UNITS = (86_400, 3600, 60, 1)  # seconds of a day, an hour, a minute, a second


def too_many_at_once(limit: int, going: int) -> Message:
    """Return that a member can't run that many more jobs: the limit, and how many run already."""
    if not going:
        return nlazy(
            "You can run {count} job at the same time here.",
            "You can run {count} jobs at the same time here.",
            limit,
        )
    return nlazy(
        "You can run {count} job at the same time here, and have {running} running already.",
        "You can run {count} jobs at the same time here, and have {running} running already.",
        limit,
        running=going,
    )


def rate_words(rate: StartRate) -> str:
    """Say a start rate, as `5 jobs in 10 minutes` or `1 job in 2 days`."""
    return str(rate_message(rate))


def rate_message(rate: StartRate) -> Message:
    """Say a start rate, like `rate_words`, to be worded when it is shown."""
    unit = next(one for one in _UNITS if rate.seconds % one == 0)
    number = rate.seconds // unit
    jobs = nlazy("{count} job", "{count} jobs", rate.starts)
    match unit:
        case 86_400:
            return nlazy("{jobs} in {count} day", "{jobs} in {count} days", number, jobs=jobs)
        case 3600:
            return nlazy("{jobs} in {count} hour", "{jobs} in {count} hours", number, jobs=jobs)
        case 60:
            return nlazy("{jobs} in {count} minute", "{jobs} in {count} minutes", number, jobs=jobs)
        case _:
            return nlazy("{jobs} in {count} second", "{jobs} in {count} seconds", number, jobs=jobs)


def too_much_taken_back(given: int, of_period: Period) -> Message:
    """Return that no more can be taken back than was granted for the period."""
    period = granted_for(of_period)
    if not given:
        return lazy(
            # Translators: {period} is such as "for today".
            "No credits were granted {period}, so you can't take any back. Nothing was changed.",
            period=period,
        )
    return nlazy(
        # Translators: {period} is such as "for today".
        "{count} credit granted {period} is the most you can take back. Nothing was changed.",
        "{count} credits granted {period} is the most you can take back. Nothing was changed.",
        given,
        period=period,
    )
