"""What `/studii access` says that it has just changed."""

from dataclasses import dataclass

from bot.domain.access import Permit, PhotoScope
from bot.ui.jobs.wording import ToolNames

_WHOSE = {PhotoScope.ANYONE: "on anyone's photos", PhotoScope.OWN: "on their own photos only"}
_WHO = {
    Permit.EVERYONE: "Everyone can",
    Permit.MANAGERS: "Members with Manage Server can",
    Permit.NOBODY: "No one can",
}


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """The options of the command, by the names that members type. None: left out."""

    tool: str | None = None
    role: int | None = None
    channel: int | None = None
    change: str | None = None
    photos: str | None = None
    portraits: str | None = None
    private: str | None = None
    extra: str | None = None
    block: int | None = None
    unblock: int | None = None


def access_changes(given: AccessOptions, names: ToolNames) -> list[str]:
    """Return a sentence for each rule that the command has just changed."""
    said: list[str] = []
    if given.private is None and given.extra is None:
        said += _tool(given, names)
    for option, permit in (("private", given.private), ("extra", given.extra)):
        if permit is not None:
            said.append(_option(option, Permit(permit), given.role))
    if given.photos is not None:
        said.append(f"Members can now use the tools {_WHOSE[PhotoScope(given.photos)]}.")
    if given.portraits is not None:
        said.append(f"Members can now use tools that change a person {_WHOSE[PhotoScope(given.portraits)]}.")
    if given.block is not None:
        said.append(f"<@{given.block}> can't start jobs here any more. They get a direct message.")
    if given.unblock is not None:
        said.append(f"<@{given.unblock}> can start jobs here again.")
    return said


def _tool(given: AccessOptions, names: ToolNames) -> list[str]:
    title = "Every tool" if given.tool is None else names.title_of(given.tool)
    named = [
        *([] if given.role is None else [f"<@&{given.role}>"]),
        *([] if given.channel is None else [f"<#{given.channel}>"]),
    ]
    if given.change == "open":
        return [f"{title}: all limits to roles and channels were removed."]
    if given.change == "out":
        return [f"{title}: {one} was removed from the list." for one in named]
    return [f"{title}: {one} was added to the list." for one in named]


def _option(option: str, permit: Permit, role: int | None) -> str:
    if role is None or permit is Permit.EVERYONE:
        return f"{_WHO[permit]} now use `{option}`."
    if permit is Permit.NOBODY:
        return f"Only <@&{role}> can now use `{option}`."
    return f"{_WHO[permit]} now use `{option}`, and so can <@&{role}>."
