"""Copy what Discord is sent quickly: simcord copies each message several times, as if it were anything."""

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import simcord.components
import simcord.gateway
import simcord.http.router
import simcord.results


def copy_quickly() -> None:
    """Let simcord copy JSON as what it is."""
    for module in (simcord.components, simcord.results):
        vars(module)["deepcopy"] = _copied
    for module in (simcord.gateway, simcord.http.router):
        vars(module)["copy"] = SimpleNamespace(deepcopy=_copied)


def _copied(value: Any) -> Any:
    return _HOW.get(type(value), deepcopy)(value)


_HOW: dict[Any, Callable[[Any], Any]] = {
    dict: lambda value: {name: _copied(one) for name, one in value.items()},
    list: lambda value: [_copied(one) for one in value],
    str: str,
    int: int,
}
