"""The graph of a job's states, and the small rules of the values."""

from datetime import UTC, datetime

from bot.domain.guilds import Budget, Period, Plan
from bot.jobs.models import NEXT_STATES, TERMINAL_STATES, JobState
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings
from tests.support.jobs import a_job

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def reachable(start: JobState) -> set[JobState]:
    seen: set[JobState] = set()
    ahead = [start]
    while ahead:
        for state in NEXT_STATES[ahead.pop()] - seen:
            seen.add(state)
            ahead.append(state)
    return seen


def test_every_state_says_what_may_follow() -> None:
    assert set(NEXT_STATES) == set(JobState)


def test_only_a_withheld_result_goes_on_from_an_end_if_a_moderator_releases_it() -> None:
    ends = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.WITHHELD}
    assert ends == TERMINAL_STATES
    going_on = {state: NEXT_STATES[state] for state in TERMINAL_STATES if NEXT_STATES[state]}
    assert going_on == {JobState.WITHHELD: {JobState.SUCCEEDED}}


def test_every_state_can_be_reached_and_none_is_left_without_an_end() -> None:
    assert reachable(JobState.RECEIVED) | {JobState.RECEIVED} == set(JobState)
    for state in set(JobState) - TERMINAL_STATES:
        assert reachable(state) & TERMINAL_STATES, state


def test_no_state_leads_to_itself() -> None:
    assert [state for state, following in NEXT_STATES.items() if state in following] == []


def test_a_job_cannot_be_cancelled_once_it_may_have_been_sent() -> None:
    may_have_been_sent = {JobState.SUBMITTING, JobState.RUNNING, JobState.UNKNOWN}
    assert not any(JobState.CANCELLED in NEXT_STATES[state] for state in may_have_been_sent)


def test_a_job_that_studii_took_or_may_have_taken_is_never_sent_again() -> None:
    for state in (JobState.RUNNING, JobState.UNKNOWN):
        assert not reachable(state) & {JobState.WAITING, JobState.UPLOADING, JobState.SUBMITTING}


def test_only_a_submission_can_end_in_an_unknown_outcome() -> None:
    assert [state for state, following in NEXT_STATES.items() if JobState.UNKNOWN in following] == [
        JobState.SUBMITTING,
    ]


def test_a_job_knows_whether_it_has_ended() -> None:
    assert {state for state in JobState if a_job(state=state).terminal} == TERMINAL_STATES


def test_each_posting_of_a_result_has_a_name_of_its_own_that_discord_takes() -> None:
    first, later = a_job().nonce, a_job(posting=99_999_999).nonce
    assert first != later
    assert max(len(first), len(later)) <= 25


def test_a_key_is_shown_by_its_last_four_characters_alone() -> None:
    key = StudiiKey(1, "lane", "abcd", Plan.PRO, b"sealed", MOMENT)
    assert key.masked == "stu_…abcd"


def test_the_plans_have_the_limits_of_the_documentation() -> None:
    assert {plan: plan.requests_per_minute for plan in Plan} == {
        Plan.PRO: 60,
        Plan.TEAM: 300,
        Plan.BUSINESS: 300,
    }


def test_a_server_that_set_nothing_may_spend_a_hundred_credits_a_day_in_utc() -> None:
    settings = GuildSettings(1)
    assert (settings.budget, settings.timezone) == (Budget(100, Period.DAY, None), "UTC")
