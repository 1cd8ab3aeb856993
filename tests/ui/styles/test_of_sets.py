"""A style saved from one picture of a set shows that picture."""

from pathlib import Path

from tests.delivery.postings.test_sets import announce, made, picked
from tests.support.desk import labelled, pieces, texts
from tests.ui.styles.test_saving import styles_of


async def test_one_picture_of_a_set_can_be_saved_as_a_style(tmp_path: Path) -> None:
    async with made(tmp_path, 3, tool="Virtual staging") as (desk, parts):
        await announce(desk, parts)
        shown = await picked(desk, 2)
        form = await desk.maya.click(shown, custom_id=labelled(shown, "Save as style"))
        saved = await desk.maya.submit_modal(form, {"name": "Second room"})
        assert "✅ Style saved." in texts(saved)
        (gallery,) = (piece for piece in pieces(saved) if piece["type"] == 12)
        assert f"virtual-staging-{parts[1].job.id[:8]}." in gallery["items"][0]["media"]["url"]
        assert await styles_of(desk, desk.maya) == ["Second room"]
