"""Remove the metadata of a photo's file."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.media.kinds import HEAD_BYTES, PhotoKind, sniff
from bot.media.metadata import jpeg, png, webp
from bot.media.metadata.pieces import FilePiece, Source, copy, is_unchanged, joined

_CONTAINERS: Mapping[PhotoKind, Callable[[Source], list[FilePiece]]] = {
    PhotoKind.JPEG: jpeg.pieces_of,
    PhotoKind.PNG: png.pieces_of,
    PhotoKind.WEBP: webp.pieces_of,
}


def strip_metadata(path: Path) -> bool:
    """Remove the metadata of a JPEG, PNG or WebP; return whether the file was changed.

    Coded picture data is copied byte for byte, and only short texts are decompressed. Files of other kinds
    stay as they are: they are converted, which leaves their metadata behind. The file is replaced at once or
    not at all.
    Blocks. Raises `BrokenStructure`, and OSError if the file can't be read or written.
    """
    with path.open("rb") as file:
        container = _CONTAINERS.get(kind) if (kind := sniff(file.read(HEAD_BYTES))) is not None else None
        if container is None:
            return False
        source = Source(file, path.stat().st_size)
        pieces = joined(container(source))
        if is_unchanged(pieces, source):
            return False
        # Named after the job like the photo, so that a sweep of the spool finds it after a crash.
        stripped = path.with_name(f"{path.name}.stripped")
        try:
            with stripped.open("wb") as target:
                copy(pieces, source, target)
            stripped.replace(path)
        except BaseException:
            stripped.unlink(missing_ok=True)
            raise
    return True
