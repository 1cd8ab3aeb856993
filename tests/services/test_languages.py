"""Each person reads their own language; a channel reads the server's."""

from datetime import timedelta

import pytest

from bot.domain.guilds import ServerLanguage
from bot.languages import Language
from bot.servers import privacy, settings
from bot.services import LanguageService
from bot.storage import Storage
from tests.services.world import ServicesWorld
from tests.support.clock import NOON, FakeClock


@pytest.fixture
def storage(world: ServicesWorld) -> Storage:
    return world.storage


@pytest.fixture
def languages(storage: Storage) -> LanguageService:
    return LanguageService(storage, FakeClock(NOON))


async def test_the_first_admin_who_runs_setup_gives_the_server_its_language(
    languages: LanguageService,
) -> None:
    await languages.set_up_by(1, Language.GERMAN)
    await languages.set_up_by(1, Language.FRENCH)
    assert await languages.of_server(1) == ServerLanguage(None, Language.GERMAN)


async def test_a_choice_goes_before_and_can_be_taken_back(languages: LanguageService) -> None:
    await languages.set_up_by(1, Language.GERMAN)
    await languages.choose(1, Language.JAPANESE)
    assert (await languages.of_server(1)).chosen is Language.JAPANESE
    await languages.choose(1, None)
    assert await languages.of_server(1) == ServerLanguage(None, Language.GERMAN)
    assert await languages.of_server(2) == ServerLanguage()


async def test_a_members_language_survives_a_restart(storage: Storage, languages: LanguageService) -> None:
    languages.heard(7, Language.FRENCH)
    languages.heard(8, Language.ENGLISH)
    languages.heard(7, Language.SPANISH)
    await languages.store()
    again = LanguageService(storage, FakeClock(NOON))
    assert await again.of_member(7) is Language.SPANISH
    assert await again.of_member(8) is Language.ENGLISH
    assert await again.of_member(9) is None


@pytest.mark.promise
async def test_the_language_of_a_forgotten_member_is_not_stored_again(
    storage: Storage, languages: LanguageService
) -> None:
    languages.heard(7, Language.FRENCH)
    await languages.store()
    languages.heard(7, Language.GERMAN)  # pressing the button that erases
    await languages.forget(7)
    async with storage.write() as transaction:
        await transaction.run(privacy.forget_member, 7, NOON)
    languages.heard(7, Language.GERMAN)
    await languages.store()
    assert await LanguageService(storage, FakeClock(NOON)).of_member(7) is None


async def test_a_language_is_kept_for_a_year(storage: Storage, languages: LanguageService) -> None:
    languages.heard(7, Language.FRENCH)
    await languages.store()
    again = LanguageService(storage, FakeClock(NOON))
    await storage.db.write(settings.forget_languages, NOON - timedelta(days=1))
    assert await again.of_member(7) is Language.FRENCH
    await storage.db.write(settings.forget_languages, NOON + timedelta(days=1))
    assert await LanguageService(storage, FakeClock(NOON)).of_member(7) is None
