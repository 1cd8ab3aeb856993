"""The tools: checks and prices of job requests (Studii API docs, Create a job, Tool slugs).

The documentation shows the inputs of `studio` and `virtual-staging` by example and leaves the others open.
Beyond those, only requests that any server would refuse are refused here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from sandbox.studii.answers import Refusal, text_field

Kind = Literal["image", "video"]

ASPECT_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "21:9")
QUALITIES = ("standard", "high", "ultra")
STUDIO_INPUTS = frozenset({"mode", "source", "quality", "aspect_ratio", "prompt"})
_FREE_TEXT = frozenset({"style", "background", "prompt", "instructions"})
PHOTO_INPUTS: Mapping[str, frozenset[str]] = {
    "virtual-staging": frozenset({"style", "room", "prompt", "instructions"}),
    "photo-restore": _FREE_TEXT,
    "product-background": _FREE_TEXT,
    "career-photo": _FREE_TEXT,
}
TOOLS = ("studio", *PHOTO_INPUTS)

# The documentation shows one price, 8 for a standard studio image; the rest is made up in proportion.
_STUDIO_CREDITS: Mapping[Kind, Mapping[str, int]] = {
    "image": {"standard": 8, "high": 16, "ultra": 32},
    "video": {"standard": 40, "high": 60, "ultra": 100},
}
_PHOTO_CREDITS = {"virtual-staging": 12, "photo-restore": 6, "product-background": 8, "career-photo": 14}


@dataclass(frozen=True)
class JobRequest:
    """A job request that has passed its checks."""

    tool: str
    inputs: Mapping[str, str]
    source_object_key: str | None
    kind: Kind
    credits: int

    @property
    def text(self) -> str:
        """All that a person wrote, for the conventions of the demo."""
        return " ".join(self.inputs.values())


def parse_job(body: Mapping[str, object]) -> JobRequest:
    """Check a body of POST /jobs. Raises Refusal (400) with a sentence that names the field."""
    tool = text_field(body, "tool")
    if tool not in TOOLS:
        raise Refusal(400, f"Unknown tool: {tool}. Known tools: {', '.join(TOOLS)}.")
    for name in body:
        if name not in ("tool", "inputs", "source_object_key"):
            raise Refusal(400, f"Unknown field: {name}.")
    inputs = _inputs(tool, body.get("inputs"))
    source = text_field(body, "source_object_key") if body.get("source_object_key") is not None else None
    if tool == "studio":
        return _studio(inputs, source)
    if source is None:
        raise Refusal(400, f"Missing field: source_object_key. {tool} needs a source image.")
    return JobRequest(tool, inputs, source, "image", _PHOTO_CREDITS[tool])


def _inputs(tool: str, value: object) -> dict[str, str]:
    if value is None:
        raise Refusal(400, "Missing field: inputs.")
    if not isinstance(value, dict):
        raise Refusal(400, "inputs must be an object.")
    known = STUDIO_INPUTS if tool == "studio" else PHOTO_INPUTS[tool]
    inputs: dict[str, str] = {}
    for name, item in cast("dict[str, object]", value).items():
        if name not in known:
            raise Refusal(400, f"Unknown input for {tool}: {name}.")
        if not isinstance(item, str):
            raise Refusal(400, f"Input {name} must be a string.")
        inputs[name] = item
    return inputs


def _studio(inputs: Mapping[str, str], source: str | None) -> JobRequest:
    for name in ("mode", "source", "prompt"):
        if not inputs.get(name, "").strip():
            raise Refusal(400, f"Missing input: {name}.")
    _one_of("mode", inputs["mode"], ("image", "video"))
    _one_of("source", inputs["source"], ("text", "image"))
    quality = inputs.get("quality", "standard")
    _one_of("quality", quality, QUALITIES)
    _one_of("aspect_ratio", inputs.get("aspect_ratio", "1:1"), ASPECT_RATIOS)
    if inputs["source"] == "image" and source is None:
        raise Refusal(400, "Missing field: source_object_key. source=image needs a source image.")
    if inputs["source"] == "text" and source is not None:
        raise Refusal(400, "source_object_key goes with source=image, not with source=text.")
    kind: Kind = "video" if inputs["mode"] == "video" else "image"
    return JobRequest("studio", inputs, source, kind, _STUDIO_CREDITS[kind][quality])


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise Refusal(400, f"Invalid {name}: {value}. Use one of {', '.join(known)}.")
