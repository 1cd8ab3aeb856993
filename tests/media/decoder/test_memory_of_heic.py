"""HEIC of ten bits with chroma for each pixel takes no more memory than its planes, whole or in tiles."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.media.decoder import operations
from tests.support.cheap.heic import save_deep_heic

SIZE = (1400, 1000)
PLANES = 6  # bytes a pixel
MAX_BYTES_A_PIXEL = 10  # what is beside the planes is the same for a large picture; libheif takes twice 6
MEASURED = """
import sys
from pathlib import Path
from bot.media.decoder import operations
from bot.media.decoder.heic import Heic

def memory(name):
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024

operations.prepare()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        picture = Heic(file)
        Path("/proc/self/clear_refs").write_text("5")
        before = memory("VmRSS")
        picture.check()
        most = memory("VmHWM") - before
print(most)
"""


def deep(path: Path, size: tuple[int, int], orientation: int = 1, **options: Any) -> Path:
    """Write a picture whose noise is too little to make encoding slow."""
    noise = Image.effect_noise((size[0] // 20, size[1] // 20), 40).resize(size).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    options |= {"quality": 40, "chroma": 444, "exif": exif.tobytes()}
    save_deep_heic(path, noise, **options)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("options", [{}, {"tile_size": 256}])
@pytest.mark.parametrize("is_full", [0, 1])
def test_it_is_decoded_without_a_copy(tmp_path: Path, options: dict[str, Any], is_full: int) -> None:
    options = {**options, "full_range_flag": is_full}
    small, large = deep(tmp_path / "small", (64, 64)), deep(tmp_path / "large", SIZE, **options)
    command = (sys.executable, "-c", MEASURED, str(small), str(large))
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144"}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)  # noqa: S603 - our own
    taken = int(done.stdout) / (SIZE[0] * SIZE[1])
    assert PLANES < taken < MAX_BYTES_A_PIXEL


@pytest.mark.parametrize("orientation", [1, 6])
def test_its_structure_says_so(tmp_path: Path, orientation: int) -> None:
    look = operations.probe(deep(tmp_path / "photo", (300, 200), orientation), "inspect")
    assert look["memory"] == 300 * 200 * 8  # the picture that is made of the planes takes more
