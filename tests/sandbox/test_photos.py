"""The sample photos that the demo starts with."""

from io import BytesIO

import pytest
from PIL import Image

from sandbox.photos import Photo, empty_room, old_photo, portrait, product, sample_photos

SMALL = (300, 200)


@pytest.mark.parametrize("photo", [empty_room, old_photo, portrait, product])
def test_a_photo_is_the_same_every_time(photo: Photo) -> None:
    assert photo(SMALL) == photo(SMALL)


def test_the_photos_are_jpegs() -> None:
    photos = sample_photos()
    assert len(set(photos.values())) == 4
    for data in photos.values():
        picture = Image.open(BytesIO(data))
        assert picture.format == "JPEG"
        assert min(picture.size) >= 700
