"""Say what `/studii access` has just changed."""

from bot.languages import gettext as _, lazy
from bot.servers.access import AccessOptions, Permit, PhotoScope
from bot.ui.jobs.wording import ToolNames

_PHOTOS = {
    PhotoScope.ANYONE: lazy("Members can now use the tools on anyone's photos."),
    PhotoScope.OWN: lazy("Members can now use the tools on their own photos only."),
}
_PORTRAITS = {
    PhotoScope.ANYONE: lazy("Members can now use tools that change a person on anyone's photos."),
    PhotoScope.OWN: lazy("Members can now use tools that change a person on their own photos only."),
}
_OPTION = {
    Permit.EVERYONE: lazy("Everyone can now use {option}."),
    Permit.MANAGERS: lazy("Members with Manage Server can now use {option}."),
    Permit.NOBODY: lazy("No one can now use {option}."),
}

_ON_THE_LIST = lazy("{tool}: {role_or_channel} is on the list now.")
_OFF_THE_LIST = lazy("{tool}: {role_or_channel} is no longer on the list.")


def access_changes(given: AccessOptions, names: ToolNames) -> list[str]:
    """Return a sentence for each rule that the command has just changed."""
    said: list[str] = []
    if given.private is None and given.extra is None:
        said += _tool(given, names)
    for option, permit in (("private", given.private), ("extra", given.extra)):
        if permit is not None:
            said.append(_option(option, Permit(permit), given.role))
    if given.photos is not None:
        said.append(str(_PHOTOS[PhotoScope(given.photos)]))
    if given.portraits is not None:
        said.append(str(_PORTRAITS[PhotoScope(given.portraits)]))
    if given.block is not None:
        member = f"<@{given.block}>"
        said.append(_("{member} can't start jobs here any more. They get a direct message.", member=member))
    if given.unblock is not None:
        said.append(_("{member} can start jobs here again.", member=f"<@{given.unblock}>"))
    return said


def _tool(given: AccessOptions, names: ToolNames) -> list[str]:
    title = _("Every tool") if given.tool is None else names.title(given.tool)
    named = [
        *([] if given.role is None else [f"<@&{given.role}>"]),
        *([] if given.channel is None else [f"<#{given.channel}>"]),
    ]
    if given.change == "open":
        return [_("{tool}: all limits to roles and channels were removed.", tool=title)]
    words = _OFF_THE_LIST if given.change == "out" else _ON_THE_LIST
    return [str(words.using(tool=title, role_or_channel=one)) for one in named]


def _option(option: str, permit: Permit, role: int | None) -> str:
    if role is None or permit is Permit.EVERYONE:
        return str(_OPTION[permit].using(option=f"`{option}`"))
    if permit is Permit.NOBODY:
        return _("Only {role} can now use {option}.", role=f"<@&{role}>", option=f"`{option}`")
    return _(
        "Members with Manage Server can now use {option}, and so can {role}.",
        option=f"`{option}`",
        role=f"<@&{role}>",
    )
