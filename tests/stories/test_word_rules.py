"""Words that members can't ask for, and members who keep trying."""

from pathlib import Path

import pytest

from sandbox.demo.people import text_of
from sandbox.demo.place import TEAM
from tests.stories.world import plain, town

REFUSED = "This server's word filter doesn't allow that."
PAUSED = "because the word filter refused many of your requests"


@pytest.mark.promise
async def test_a_rule_refuses_however_a_word_is_written_and_whoever_keeps_trying_is_paused(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        await here.nora.command("studii budget", credits=500, period="total")
        before = await here.maya.result_after(await here.maya.command("studio", prompt="A gorilla, and 4k"))
        for rule in ("gorilla", "red kite", "paint*"):
            await here.nora.change("moderation words", "rules", words=rule)
        for prompt in ("A G0R1LLA", "a goriIIa", "gooorilla", "ｇｏｒｉｌｌａ"):
            said = plain(await here.maya.command("studio", prompt=prompt))
            assert REFUSED in said
            assert f"You wrote: “{prompt}”" in said
            assert "Nothing was charged." in plain(await here.said(prompt, "Rule", channel=TEAM))
        assert PAUSED in plain(await here.maya.press(before, "Run again"))
        assert PAUSED in plain(await here.maya.command("help"))
        for prompt in ("go\u200brilla", "A red  kite", "many paintings"):
            assert REFUSED in plain(await here.tom.command("studio", prompt=prompt))
        for prompt in ("Gorillas in a 4k print", "A kite, red"):
            await here.tom.result_after(await here.tom.command("studio", prompt=prompt))
        await here.restart(13 * 3600)
        await here.maya.result_after(await here.maya.command("studio", prompt="A blue kite"))
        await here.nora.change("moderation words", "rules", "gorilla")
        await here.maya.result_after(await here.maya.command("studio", prompt="A gorilla"))
        assert (len(here.studii.jobs), await here.spent()) == (5, 40)
        assert "||" in text_of(await here.said("gooorilla", "Rule", channel=TEAM))
