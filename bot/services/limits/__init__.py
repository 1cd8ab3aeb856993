"""Allowances, grants, and how many jobs members may have and start."""

from bot.services.limits.limits import MAX_AT_ONCE, GrantState, LimitChanges, LimitService
from bot.services.limits.member_limits import (
    AskedMembers,
    LimitReached,
    MemberState,
    MemberUse,
    ensure_all_within,
    ensure_within,
    member_state,
    state_of_member,
    use_of_members,
)
from bot.services.limits.sentences import rate_words
