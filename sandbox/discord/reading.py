"""What is read in a message's components, which are Discord's own JSON."""

from collections.abc import Iterator
from typing import Any


def texts(node: Any) -> Iterator[str]:
    """Yield what a person reads in components, in order: texts, and labels of buttons."""
    if isinstance(node, list):
        for one in node:  # pyright: ignore[reportUnknownVariableType] # Discord's own JSON
            yield from texts(one)
    elif isinstance(node, dict):
        for name, value in node.items():  # pyright: ignore[reportUnknownVariableType] # Discord's own JSON
            if name in {"content", "label"} and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
