"""People read names of inputs and of their values in their language; Studii gets its own words."""

from typing import Any

import pytest

from bot.catalog import Catalog
from bot.credits.prices import PriceTable
from bot.languages import Language, gettext as _, speaking
from bot.ui.jobs.choosing import choices_of
from bot.ui.jobs.forms import FormStart, form_title
from bot.ui.kit.host import TITLE_LENGTH
from bot.ui.kit.layout import shortened
from bot.ui.settings.mine import settable
from tests.support.desk import PNG, Desk, texts
from tests.support.locales import app_in
from tests.support.settings import admin

ROOM = ("room.png", PNG + b"room")


def labels(shown: Any) -> dict[str, str]:
    """Return what a form's fields are called, and what their choices are."""
    assert shown.modal is not None
    found: dict[str, str] = {}
    for one in shown.modal["components"]:
        field = one["component"]
        found[field["custom_id"]] = one["label"]
        found |= {choice["value"]: choice["label"] for choice in field.get("options", ())}
    return found


@pytest.mark.promise
async def test_a_form_and_its_card_speak_the_persons_language_and_studii_gets_its_words(
    desk: Desk,
) -> None:
    await admin(desk, "language", language="de")
    with app_in("de"):
        listed = await desk.maya.slash(desk.channel, "help")
        assert listed.response is not None
        form = await desk.maya.click(listed.response, custom_id="studii:tool:virtual-staging")
        shown = labels(form)
        assert (shown["style"], shown["farmhouse"]) == ("Stil", "Landhaus")
        assert (shown["room"], shown["living"]) == ("Raum", "Wohnzimmer")
        chosen = {"image": ROOM, "style": "farmhouse", "room": "living"}
        card = await desk.maya.submit_modal(form, chosen)
    assert "Stil **Landhaus** · Raum **Wohnzimmer**" in texts(card)
    assert (await desk.job()).inputs == {"style": "farmhouse", "room": "living"}


@pytest.mark.promise
async def test_values_are_suggested_and_may_be_typed_in_the_persons_language(desk: Desk) -> None:
    with app_in("fr"):
        offered = await desk.maya.autocomplete(desk.channel, "virtual-staging", "room", "cham", image=ROOM)
        assert next((one["name"], one["value"]) for one in offered) == ("chambre", "bedroom")
        await desk.maya.slash(desk.channel, "virtual-staging", image=ROOM, room="Salle à manger")
    assert (await desk.job()).inputs["room"] == "dining"


async def test_a_form_of_defaults_speaks_the_persons_language(desk: Desk) -> None:
    with app_in("ja"):
        listed = await desk.maya.slash(desk.channel, "settings")
        assert listed.response is not None
        form = await desk.maya.click(listed.response, custom_id="studii:defaults:virtual-staging")
        shown = labels(form)
        assert (shown["style"], shown["room"]) == ("スタイル", "部屋")
        assert shown["kitchen"] == "キッチン"
        assert "リビング" in shown["—"]


@pytest.mark.parametrize("language", Language)
async def test_nothing_of_the_shipped_tools_is_cut_beside_their_prices(language: Language) -> None:
    tools = list(Catalog.load().tools.values())
    prices = PriceTable()
    with speaking(language):
        titles = [form_title(one, FormStart(prices=prices)) for one in tools]
        titles += [
            shortened(_("{tool}: your defaults", tool=one.title), TITLE_LENGTH)
            for one in tools
            if settable(one)
        ]
        options = choices_of({one.slug: one for one in tools}, {}, prices)
    shown = [*titles, *(words for one in options for words in (one.label, str(one.description)))]
    assert len(shown) > 3 * len(tools)
    assert not [one for one in shown if "…" in one]
