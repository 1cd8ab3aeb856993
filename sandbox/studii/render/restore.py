"""photo-restore: a worn print as it may have looked."""

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from sandbox.drawing import ramp, resized, toned


def photo_restore(photo: Image.Image, text: str, seed: int) -> Image.Image:
    """Take out dust, scratches and grain, and give contrast and colour back."""
    clean = _without_scratches(photo)
    if _faded_to_one_colour(photo):
        return ImageEnhance.Sharpness(_coloured(clean)).enhance(1.25)
    lively = ImageEnhance.Color(ImageOps.autocontrast(clean, cutoff=1)).enhance(1.25)
    return ImageEnhance.Sharpness(lively).enhance(1.4)


def _without_scratches(photo: Image.Image) -> Image.Image:
    """Fill thin bright marks and small dark ones from around them, and smooth grain."""
    half = resized(photo, (max(8, photo.width // 2), max(8, photo.height // 2)), Image.Resampling.BOX)
    calm = half.filter(ImageFilter.GaussianBlur(0.8)).filter(ImageFilter.MedianFilter(3))
    unscratched = calm.filter(ImageFilter.MinFilter(5)).filter(ImageFilter.MaxFilter(5))
    difference = ImageChops.difference(calm, unscratched).convert("L")
    marks = toned(difference, lambda v: 0 if v < 9 else 255).filter(ImageFilter.MaxFilter(5))
    mended = Image.composite(
        unscratched.filter(ImageFilter.MedianFilter(5)), calm, marks.filter(ImageFilter.BoxBlur(1))
    )
    mended = mended.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.MinFilter(3))
    smooth = (
        mended.filter(ImageFilter.MedianFilter(5))
        .filter(ImageFilter.MedianFilter(5))
        .filter(ImageFilter.GaussianBlur(0.8))
    )
    return resized(smooth, photo.size, Image.Resampling.LANCZOS)


def _faded_to_one_colour(photo: Image.Image) -> bool:
    hue, saturation, _ = resized(photo, (64, 64)).convert("HSV").split()
    strong = toned(saturation, lambda v: 255 if v > 50 else 0)
    if strong.histogram()[255] < 200:
        return True
    counts = hue.histogram(strong)
    best = max(range(256), key=lambda at: sum(counts[(at + d) % 256] for d in range(-8, 9)))
    return sum(counts[(best + d) % 256] for d in range(-8, 9)) > 0.93 * sum(counts)


def _coloured(photo: Image.Image) -> Image.Image:
    """Put tones over brightness, with sky above and green below."""
    grey = photo.convert("L")
    # A print's pale border says nothing about its picture: measure the middle.
    inner = grey.crop(
        (grey.width // 8, grey.height // 8, grey.width * 7 // 8, grey.height * 7 // 8)
    ).histogram()
    low, high = _percentile(inner, 0.01), _percentile(inner, 0.985)
    spread = max(1, high - low)
    grey = toned(grey, lambda v: 255 * min(1.0, max(0.0, (v - low) / spread)) ** 0.72)
    warm = ImageOps.colorize(grey, (38, 24, 22), (255, 250, 240), (178, 130, 98))
    sky = ImageOps.colorize(grey, (24, 40, 66), (250, 252, 255), (112, 164, 206))
    green = ImageOps.colorize(grey, (22, 40, 20), (250, 246, 222), (124, 150, 84))
    up = ramp(photo.size, (255, 235, 60, 0, 0, 0))
    down = ramp(photo.size, (0, 0, 0, 120, 225, 225))
    return Image.composite(green, Image.composite(sky, warm, up), down)


def _percentile(histogram: list[int], share: float) -> int:
    wanted, seen = sum(histogram) * share, 0
    for value, count in enumerate(histogram):
        seen += count
        if seen >= wanted:
            return value
    return 255
