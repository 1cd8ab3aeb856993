"""HEIC files at little cost: encoded as quickly as can be, they are larger and no different to a decoder."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image

_QUICK = {"preset": "ultrafast"}  # the encoder's own takes nine times as long


def save_heic(to: BytesIO | Path, image: Image.Image | pillow_heif.HeifFile, **options: Any) -> None:
    """Write a picture as HEIC."""
    heif: Any = pillow_heif.from_pillow(image) if isinstance(image, Image.Image) else image
    heif.save(to, enc_params=dict(_QUICK), **options)  # into which the library writes what it is given


def save_deep_heic(to: BytesIO | Path, image: Image.Image, **options: Any) -> None:
    """Write a picture with more than eight bits for each sample, of which the upper eight say something."""
    eight = image.tobytes()
    samples = bytearray(2 * len(eight))
    samples[1::2] = eight
    library: Any = pillow_heif
    save_heic(to, library.from_bytes(f"{image.mode};16", image.size, bytes(samples)), **options)
