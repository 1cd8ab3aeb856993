"""The sample photos that the demo starts with."""

from io import BytesIO

from PIL import Image

from sandbox.photos import sample_photos


def test_the_photos_are_jpegs_and_the_same_every_time() -> None:
    photos = sample_photos()
    assert photos == sample_photos()
    assert len(set(photos.values())) == 4
    for data in photos.values():
        picture = Image.open(BytesIO(data))
        assert picture.format == "JPEG"
        assert min(picture.size) >= 700
