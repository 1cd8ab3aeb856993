"""career-photo: a portrait for a profile page."""

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from sandbox.drawing import Canvas, gradient, resized, toned, vignette
from sandbox.studii.render.subject import subject_mask


def career_photo(photo: Image.Image, text: str, seed: int) -> Image.Image:
    """Crop to 4:5, put an office out of focus behind the person, and warm light from the side."""
    size = _crop_size(photo.size)
    near = ImageOps.fit(photo, size, Image.Resampling.LANCZOS, centering=(0.5, 0.3))
    mask = subject_mask(near, (0.5, 0.6), edge_height=0.5)
    if mask is None:
        behind, mask = near.filter(ImageFilter.GaussianBlur(size[0] / 45)), _oval(size)
    else:
        behind = _office(size)
    lit = ImageEnhance.Contrast(near).enhance(1.06)
    lit = Image.blend(
        lit, ImageChops.soft_light(lit, gradient(size, ((255, 226, 190), (200, 160, 130)))), 0.6
    )
    canvas = Canvas(Image.composite(lit, behind, mask))
    canvas.glow((0.1, 0.12), 0.75, (255, 226, 176), 0.4)
    return vignette(canvas.picture(), 0.4)


def _crop_size(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    if width * 5 > height * 4:
        return round(height * 4 / 5), height
    return width, round(width * 5 / 4)


def _office(size: tuple[int, int]) -> Image.Image:
    """Draw a bright office, far out of focus."""
    canvas = Canvas(gradient(size, ((92, 112, 128), (138, 148, 152), (96, 86, 80))))
    for x in (0.02, 0.22, 0.7, 0.9):
        canvas.rectangle((x, 0.06, x + 0.14, 0.6), (226, 238, 244), 0.75, 0.03)
    canvas.rectangle((-0.1, 0.62, 1.1, 0.72), (150, 112, 82), 0.7, 0.035)
    for x, y, r in (
        (0.12, 0.3, 0.06),
        (0.3, 0.14, 0.045),
        (0.84, 0.24, 0.07),
        (0.72, 0.46, 0.045),
        (0.95, 0.5, 0.05),
    ):
        canvas.ellipse((x - r, y - r * 0.8, x + r, y + r * 0.8), (255, 236, 196), 0.5, 0.006)
    canvas.ellipse((-0.08, 0.5, 0.16, 0.85), (84, 112, 82), 0.7, 0.03)
    return canvas.picture()


def _oval(size: tuple[int, int]) -> Image.Image:
    oval = resized(Image.radial_gradient("L"), (size[0], round(size[1] * 1.3)))
    mask = Image.new("L", size)
    mask.paste(toned(oval, lambda v: (176 - v) * 4), (0, 0))
    return mask
