"""Photos that grow by their conversion: made to fit, or refused in a sentence."""

import io
from pathlib import Path

from PIL import Image

from bot.jobs.models import FailureCode
from bot.media.pool import DecoderPool
from bot.ui.kit.reasons import reason_words
from tests.engine.workers.sized import with_photo
from tests.engine.world import PHOTO_URL, engine_world


async def test_a_photo_that_is_too_large_once_it_is_converted_is_refused_in_a_sentence(
    tmp_path: Path,
) -> None:
    file = io.BytesIO()
    noise = Image.effect_noise((400, 400), 90).convert("RGBA")
    noise.putalpha(Image.effect_noise((400, 400), 90))
    noise.save(file, "AVIF", quality=10)
    async with engine_world(tmp_path) as world, DecoderPool(max_photo_bytes=1_000) as pool:
        world.decoder = pool  # type: ignore[assignment]
        await world.use_key(world.studii.add_key())
        world.album.photos = {PHOTO_URL: file.getvalue()}
        job = await world.accept(with_photo(len(file.getvalue())))
        async with world.running():
            said = (await world.announced(job.id)).job
        assert said.failure is FailureCode.PHOTO
        assert "doesn't take AVIF pictures. Converted, this one is 0 MB" in reason_words(said.failure_text)
        assert world.spooled() == []
        assert len(world.studii.requests) == 0
