"""A server's key: what may be pasted, that it is tried first, and that it is told to nobody."""

import pytest

from bot.errors import Refused, StudiiBotError
from bot.jobs import lanes as lane_rows
from bot.servers.keys import Plan, StudiiKey
from bot.studii import KeyRefused
from bot.vault import lane_names
from tests.support.resources import GUILD, OTHER_GUILD, OTHER_SECRET, SECRET, ResourcesWorld


async def set_key(world: ResourcesWorld, secret: str = SECRET, plan: Plan = Plan.PRO) -> StudiiKey:
    return await world.resources.keys.set_key(GUILD, secret, plan)


@pytest.mark.parametrize(
    "pasted",
    [
        f"  {SECRET}\n",
        f'"{SECRET}"',
        f"“{SECRET}”",
        f"`{SECRET}`",
        f"Bearer {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"authorization: bearer  {SECRET}",
        f"'Authorization: Bearer {SECRET}'",
        f'"Authorization": "Bearer {SECRET}"',
        f"x-api-key: {SECRET}",
        f"\ufeff\u200b{SECRET}\u00a0",
    ],
)
async def test_what_people_copy_around_a_key_does_not_matter(world: ResourcesWorld, pasted: str) -> None:
    await set_key(world, pasted)
    assert world.studii.asked == [SECRET]


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "it must start with `stu_`"),
        ("sk-0123456789abcdef", "it must start with `stu_`"),
        ("my key is hunter22", "it must start with `stu_`"),
        ("STU_0123456789abcdef", "it must start with `stu_`"),
        ("stu_0123 456789abcdef", "it has a space or an invalid character"),
        ("stu_0123456789abcdéf", "it has a space or an invalid character"),
        ("stu_01234567\n89abcdef", "it has a space or an invalid character"),
    ],
)
async def test_what_can_be_no_key_is_refused_unasked_and_not_repeated(
    world: ResourcesWorld, pasted: str, reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        await set_key(world, pasted)
    where = "Copy it from studii.tech/app/settings/api-keys and enter it again."
    assert str(caught.value) == f"That isn't a Studii key: {reason}. {where}"
    assert world.studii.asked == []


async def test_trying_a_key_counts_against_its_limit_even_if_it_is_refused(world: ResourcesWorld) -> None:
    world.studii.verdict = StudiiBotError("Studii does not accept this key.")
    with pytest.raises(StudiiBotError):
        await set_key(world)
    lane = (await world.db.write(lane_names, world.vault))(SECRET)
    (until,) = (await world.db.read(lane_rows.windows, [lane]))[lane]
    assert 130 <= until - world.clock.now().timestamp() <= 132


async def test_a_server_tests_five_keys_a_minute_and_others_are_not_held_up(world: ResourcesWorld) -> None:
    await set_key(world)
    world.studii.verdict = KeyRefused()
    wrong = [f"stu_wrong_key_{number}" for number in range(8)]
    for number, secret in enumerate(wrong):
        with pytest.raises(Refused, match="doesn't accept" if number < 4 else "Too many keys were tried"):
            await set_key(world, secret)
        world.clock.advance(5.0)
    assert world.studii.asked == [SECRET, *wrong[:4]]
    world.studii.verdict = None
    await world.resources.keys.set_key(OTHER_GUILD, OTHER_SECRET, Plan.PRO)
    world.clock.advance(21.0)  # since the first: a minute
    await set_key(world)
