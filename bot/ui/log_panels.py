"""What `/studii log` shows."""

from bot.model import LogSettings
from bot.ui.layout import GOOD, NEUTRAL, Panel, box, lines, small

WHAT = (
    "It gets a warning when 80 % and 100 % of the budget are used, when Studii refuses the key or is out of "
    "credits, and for each job whose outcome nobody knows."
)
HELLO = "📋 **This is Studii's log channel now.** " + WHAT
ON = "It also reads who made what, with a link and a button to delete it."
OFF = "Who made what is not posted there. Turn it on with `/studii log results:True`."


def log_panel(settings: LogSettings, missing: list[str] | None = None) -> Panel:
    """Where admins are told of things; `missing`: what the bot lacks there."""
    if settings.channel_id is None:
        return Panel(
            box(
                NEUTRAL,
                "### 📋 No log channel",
                f"Set one with `/studii log channel:`. {WHAT}",
                small("Until then, the owner hears by DM when the key stops working or credits run out."),
            )
        )
    problem = f"⚠️ I can't post there: I lack **{', '.join(missing)}**." if missing else ""
    return Panel(
        box(
            GOOD,
            lines(f"### 📋 Log channel: <#{settings.channel_id}>", problem),
            WHAT,
            small(ON if settings.results else OFF),
        )
    )
