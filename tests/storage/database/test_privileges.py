"""A PostgreSQL that does not let the bot write is told in one sentence, with the remedy."""

from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from bot.errors import SettingsError
from bot.storage import Storage, migrate, missing_privileges_at
from tests.support.postgresql import new_database, new_migrated_database, operator


async def sql(url: str, statement: str) -> None:
    await operator(url, lambda connection: connection.exec_driver_sql(statement))


async def as_reader(url: str) -> str:
    """The address with a user who may see every table and change none."""
    name = f"reader_{uuid4().hex}"
    await sql(url, f"CREATE ROLE {name} LOGIN")
    await sql(url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    return make_url(url).set(username=name).render_as_string(hide_password=False)


@pytest.mark.promise
async def test_a_user_without_write_rights_is_told_which_to_grant(migrated_postgresql: str) -> None:
    url = await as_reader(await new_migrated_database(migrated_postgresql))
    with pytest.raises(SettingsError, match=r"lacks rights to .*Grant that user SELECT, INSERT") as told:
        await Storage.open(url).__aenter__()
    assert "\n" not in str(told.value)


async def test_a_database_that_is_read_only_is_said_to_be(migrated_postgresql: str) -> None:
    url = await new_migrated_database(migrated_postgresql)
    await sql(url, f"ALTER DATABASE {make_url(url).database} SET default_transaction_read_only = on")
    with pytest.raises(SettingsError, match="is read-only"):
        await Storage.open(url).__aenter__()


async def test_an_empty_database_in_which_no_tables_may_be_made_is_said_to_be(postgresql: str) -> None:
    url = await as_reader(await new_database(postgresql))
    assert "isn't allowed to create them" in str(await missing_privileges_at(url))


@pytest.mark.promise
async def test_a_start_without_the_right_to_make_tables_says_which_to_grant(postgresql: str) -> None:
    url = await as_reader(await new_database(postgresql))
    with pytest.raises(SettingsError, match="Grant that user CREATE on the schema"):
        await migrate(url)


async def test_a_start_without_rights_to_the_tables_says_which_to_grant(migrated_postgresql: str) -> None:
    name = f"stranger_{uuid4().hex}"
    url = await new_migrated_database(migrated_postgresql)
    await sql(url, f"CREATE ROLE {name} LOGIN")
    with pytest.raises(SettingsError, match="Grant that user SELECT, INSERT"):
        await migrate(make_url(url).set(username=name).render_as_string(hide_password=False))


async def test_the_owner_lacks_nothing(migrated_postgresql: str) -> None:
    assert await missing_privileges_at(await new_migrated_database(migrated_postgresql)) is None
