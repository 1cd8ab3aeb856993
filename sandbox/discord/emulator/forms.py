"""What Discord takes in forms, and which files their fields and the options of commands offer.

https://docs.discord.com/developers/components/reference
https://docs.discord.com/developers/reference#file-type-filtering
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.discord.emulator.refusals import INVALID_FORM, Refusal

TEXT_DISPLAY, LABEL = 10, 18
SELECT, TEXT_INPUT, UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 3, 4, 19, 21, 22, 23
_ENTITY_SELECTS = (5, 6, 7, 8)
ATTACHMENT_OPTION = 11
_GROUPS = {
    "image": (".png", ".gif", ".jpg", ".jpeg", ".jfif", ".webp", ".avif"),
    "video": (".mp4", ".mov", ".qt", ".webm"),
    "audio": (".mp3", ".m4a", ".wav", ".ogg", ".opus", ".flac"),
}
_OPTION_LIMITS = {SELECT: (1, 25), RADIO: (2, 10), CHECKBOXES: (1, 10)}
_MAX_VALUES = {SELECT: 25, UPLOAD: 10, CHECKBOXES: 10}


def ensure_form(form: Mapping[str, Any]) -> None:
    """Raise `Refusal` for a form that Discord does not take."""
    _ensure_length(form.get("custom_id"), 100)
    _ensure_length(form.get("title"), 45)
    components: list[dict[str, Any]] = form.get("components") or []
    _ensure(1 <= len(components) <= 5)
    fields = [_field(one) for one in components]
    names = [field["custom_id"] for field in fields if field is not None]
    _ensure(len(names) == len(set(names)))


def ensure_options(options: Iterable[Mapping[str, Any]]) -> None:
    """Raise `Refusal` for options of a command that filter files in a way that Discord does not take."""
    for option in options:
        ensure_options(option.get("options") or ())
        if "file_types" in option:
            _ensure(option.get("type") == ATTACHMENT_OPTION)
            _ensure_file_types(option["file_types"])


def is_offered(file_types: Sequence[str], filename: str) -> bool:
    """Return whether a person's app lets them choose a file of that name. Without types it does."""
    endings = [ending.lower() for one in file_types for ending in _GROUPS.get(one, (one,))]
    return not endings or filename.lower().endswith(tuple(endings))


def _field(component: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the field of a top-level component, None for a text."""
    if component.get("type") == TEXT_DISPLAY:
        _ensure_length(component.get("content"), 4000)
        return None
    _ensure(component.get("type") == LABEL)
    _ensure_length(component.get("label"), 45)
    _ensure(len(component.get("description") or "") <= 100)
    field: dict[str, Any] = component.get("component") or {}
    kind: Any = field.get("type")
    _ensure(kind in {SELECT, TEXT_INPUT, *_ENTITY_SELECTS, UPLOAD, RADIO, CHECKBOXES, CHECKBOX})
    _ensure_length(field.get("custom_id"), 100)
    if kind in _OPTION_LIMITS:
        _ensure_choices(field, *_OPTION_LIMITS[kind])
    if kind in _MAX_VALUES:
        _ensure_bounds(field, _MAX_VALUES[kind])
    if "file_types" in field:
        _ensure(kind == UPLOAD)
        _ensure_file_types(field["file_types"])
    _ensure(kind != CHECKBOX or "required" not in field)
    return field


def _ensure_choices(field: Mapping[str, Any], least: int, most: int) -> None:
    options: list[dict[str, Any]] = field.get("options") or []
    values = [option.get("value") for option in options]
    _ensure(least <= len(options) <= most and len(set(values)) == len(values))
    for option in options:
        _ensure_length(option.get("label"), 100)
        _ensure_length(option.get("value"), 100)
        _ensure(len(option.get("description") or "") <= 100)
    chosen = sum(bool(option.get("default")) for option in options)
    _ensure(chosen <= 1 or field.get("type") != RADIO)


def _ensure_bounds(field: Mapping[str, Any], most: int) -> None:
    low, high = field.get("min_values"), field.get("max_values")
    low, high = 1 if low is None else low, 1 if high is None else high
    _ensure(0 <= low <= most and 1 <= high <= most and low <= high)
    _ensure(low >= 1 or field.get("required") is False)


def _ensure_file_types(file_types: Sequence[str]) -> None:
    _ensure(len(file_types) <= 10)
    for one in file_types:
        _ensure(one in _GROUPS or (one.startswith(".") and 2 <= len(one) <= 16))


def _ensure_length(text: Any, most: int) -> None:
    _ensure(isinstance(text, str) and 1 <= len(text) <= most)


def _ensure(so: bool) -> None:
    if not so:
        raise Refusal(*INVALID_FORM)
