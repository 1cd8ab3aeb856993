"""What a listing with a staged picture says: that it was altered, and where the original photo is."""

from typing import Any

import discord

from bot.errors import Refused
from bot.ui.kit.buttons import JobButton, template_of
from bot.ui.kit.host import Host, custom_ids
from bot.ui.kit.layout import NEUTRAL, Panel, box, lines, small
from bot.ui.kit.responses import answer
from bot.ui.kit.text import shortened
from bot.ui.reading.permissions import server_of
from bot.ui.reading.photo_lookup import is_before, is_smaller
from bot.ui.reading.pictures import pictures_in

ACTION = "staged"
NO_ORIGINAL = (
    "This message doesn't show the original photo, so there's nothing to link to. Run the tool again on the "
    "photo. Nothing was charged."
)
# As listings name it; see California's Business and Professions Code, section 10140.8.
WORDS = "{label}: this image has been digitally altered with AI. Original, unaltered image: {link}"
USUAL_LABEL = "Virtually staged"
AS_SENT = "The link leads to this message. It shows the photo as it was sent, without its metadata."
SMALLER = (
    "The link leads to this message. It shows the photo smaller than it was sent (re-encoded), because "
    "Discord has a size limit here."
)
WORKS = (
    "The link works for people who can see this channel, until someone deletes the message. For a public "
    "listing, save the original from there and put it where everyone can open it."
)
NO_ADVICE = "This isn't legal advice: the rules of your country or listing service may ask for more."


class StagedButton(JobButton, template=template_of(ACTION)):
    """Show the presser what to write beside the picture in a listing."""

    action = ACTION
    label = "For a listing"

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        message = interaction.message
        before = next((one for one in pictures_in(message) if is_before(one)), None) if message else None
        if message is None or before is None:
            raise Refused(NO_ORIGINAL)
        rules = await host.services.posting.rules(server_of(interaction))
        label = shortened(rules.staging_label or USUAL_LABEL, 80)
        words = WORDS.format(label=label.replace("`", "'"), link=message.jump_url)
        shown = SMALLER if is_smaller(before) else AS_SENT
        panel = Panel(
            box(
                NEUTRAL,
                "### 🏷️ For a listing\nCopy this, and put it beside the staged picture:",
                f"```\n{words}\n```",
                lines(*map(small, (shown, WORKS, NO_ADVICE))),
            )
        )
        await answer(interaction, panel)


def links_original(message: discord.Message | None) -> bool:
    """Return whether the message offers a link to itself, as where the original photo is."""
    if message is None:
        return False
    begins = f"studii:{ACTION}:"
    return any(one is not None and one.startswith(begins) for one in custom_ids(message.components))
