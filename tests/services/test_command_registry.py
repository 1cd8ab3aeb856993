"""What Discord was told of the commands, for all servers and for one alone."""

from tests.services.world import GUILD, OTHER_GUILD, ServicesWorld


async def test_at_first_nothing_was_registered(world: ServicesWorld) -> None:
    assert await world.services.commands.registered() is None
    assert await world.services.commands.registered(GUILD) is None


async def test_what_was_registered_last_is_remembered_for_each_scope(world: ServicesWorld) -> None:
    commands = world.services.commands
    await commands.remember("old")
    await commands.remember("new")
    await commands.remember("one server's", GUILD)
    assert await commands.registered() == "new"
    assert await commands.registered(GUILD) == "one server's"
    assert await commands.registered(OTHER_GUILD) is None


async def test_servers_with_commands_of_their_own_are_known_until_they_are_forgotten(
    world: ServicesWorld,
) -> None:
    commands = world.services.commands
    await commands.remember("everywhere")
    for guild_id in (GUILD, OTHER_GUILD):
        await commands.remember("one server's", guild_id)
    assert await commands.elsewhere(GUILD) == [OTHER_GUILD]
    assert set(await commands.elsewhere(None)) == {GUILD, OTHER_GUILD}
    await commands.forget(GUILD)
    assert await commands.elsewhere(None) == [OTHER_GUILD]
    assert await commands.registered() == "everywhere"
