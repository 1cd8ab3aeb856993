"""Where the system can't limit a process, as Windows and macOS, pictures are opened, and doctor says so."""

from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from bot.cli.doctor import Verdict, pictures
from bot.media import PhotoKind, pool
from bot.media.pool import DecoderPool

ROOT = Path(__file__).parents[3]
_PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
{before}
from bot.media.decoder import serve
sys.platform = {platform!r}
serve.serve()
"""


@pytest.mark.promise
@pytest.mark.parametrize(
    ("platform", "before", "missing"),
    [
        ("win32", "sys.modules['resource'] = None", ("memory", "processor time")),
        ("darwin", "", ("memory",)),
    ],
)
async def test_without_limits_pictures_are_opened_and_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, before: str, missing: tuple[str, ...]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM.format(root=str(ROOT), before=before, platform=platform))
    monkeypatch.setattr(pool, "_PROGRAM", program)
    Image.effect_noise((300, 200), 60).convert("RGB").save(tmp_path / "photo", "AVIF")
    async with DecoderPool() as decoder:
        assert await decoder.missing() == missing
        photo = await decoder.inspect(tmp_path / "photo")
        assert (photo.kind, photo.content_type) == (PhotoKind.AVIF, "image/jpeg")
        await decoder.check(tmp_path / "photo")
        assert await decoder.fit(tmp_path / "photo", 100_000)
    (finding,) = [one async for one in pictures(cast("Any", None))]
    assert finding.verdict is Verdict.WARN
    assert f"can't limit the {' and '.join(missing)} of a process" in finding.words
