"""Save the results of the demo: the outputs, and screenshots of the page."""

from collections.abc import Mapping
from pathlib import Path


def save_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files under their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


async def save_screenshots(url: str, photos: Mapping[str, bytes], folder: Path) -> bool:
    return False
