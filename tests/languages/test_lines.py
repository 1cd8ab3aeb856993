"""Names beside what they have: with the colon that the language writes."""

import json
from typing import Any

from bot.catalog import Catalog
from bot.languages import Language, speaking
from bot.ui.help import public_panel
from bot.ui.kit.layout import named_value


def words(panel: Any) -> str:
    return json.dumps(panel.to_components(), ensure_ascii=False)


async def test_a_colon_has_a_space_before_it_in_french() -> None:
    catalog = Catalog.load()
    with speaking(Language.FRENCH):
        tools = words(public_panel(list(catalog.tools.values())))
        rules = named_value("`private`", "**on**")
    assert "**Home staging virtuel**\u00a0: " in tools
    assert "`private`\u00a0: **" in rules
