"""Decode AVIF pictures in little memory, with libavif itself."""

import ctypes
import mmap
from collections.abc import Generator
from contextlib import contextmanager

from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile

from bot.media.decoder.libavif import DecoderSettings, Planes, call, call_void, created
from bot.media.decoder.picture_rows import DescribedPicture, Rows
from bot.media.decoder.planes import pixel_rows

# AVIF_STRICT_ALPHA_ISPE_REQUIRED: what Pillow insists on. Old files lack the rest.
_STRICTNESS = 4


class Avif(DescribedPicture):
    """An AVIF picture, which libavif decodes."""

    _plugin = AvifImageFile

    def check(self) -> None:
        """Decode it completely and keep nothing."""
        with self._planes():
            pass

    def decoded(self) -> Image.Image:
        """Return the picture, with its colour profile and EXIF data. Raises `Broken`."""
        with Rows.kept(self._file) as kept:
            with self._planes() as planes:
                kept.write(pixel_rows(planes, self._mode))
            picture = kept.picture(self._mode, self.size)
        picture.info = self._info
        return picture

    @contextmanager
    def _planes(self) -> Generator[Planes]:
        """Decode it, in one thread: each of several keeps memory of its own."""
        decoder = created("avifDecoderCreate")
        try:
            settings = DecoderSettings.from_address(decoder.value or 0)
            settings.strictness = _STRICTNESS
            with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY) as data:
                content = (ctypes.c_char * len(data)).from_buffer(data)
                try:
                    call("avifDecoderSetIOMemory", decoder, content, ctypes.c_size_t(len(data)))
                    call("avifDecoderParse", decoder)
                    call("avifDecoderNthImage", decoder, ctypes.c_uint32(0))
                finally:
                    del content  # or the file could not be closed
            yield Planes.from_address(settings.image)
        finally:
            call_void("avifDecoderDestroy", decoder)
