"""Outputs: pictures and films that show at a glance which tool made them."""

from sandbox.drawing import jpeg
from sandbox.studii.jobs import Output
from sandbox.studii.render.career import career_photo
from sandbox.studii.render.product import product_background
from sandbox.studii.render.restore import photo_restore
from sandbox.studii.render.scene import picture_size, repaint, scene
from sandbox.studii.render.source import read_photo
from sandbox.studii.render.staging import virtual_staging
from sandbox.studii.render.video import film
from sandbox.studii.tools import JobRequest

_PHOTO_TOOLS = {
    "virtual-staging": virtual_staging,
    "photo-restore": photo_restore,
    "product-background": product_background,
    "career-photo": career_photo,
}
VIDEO_SIDE = 640


def render(request: JobRequest, source: bytes | None, seed: int, long_side: int) -> Output:
    """Make the output of a job; slow, so call it in a thread."""
    if request.tool in _PHOTO_TOOLS and source is not None:
        photo = read_photo(source, long_side)
        return Output(jpeg(_PHOTO_TOOLS[request.tool](photo, request.text, seed)), "image/jpeg")
    prompt = request.inputs["prompt"]
    side = min(long_side, VIDEO_SIDE) if request.kind == "video" else long_side
    size = picture_size(request.inputs.get("aspect_ratio", "1:1"), side)
    picture = (
        scene(size, prompt, seed) if source is None else repaint(read_photo(source, side), size, prompt, seed)
    )
    if request.kind == "video":
        return Output(film(picture), "video/mp4")
    return Output(jpeg(picture), "image/jpeg")
