"""Word what a listing with a staged picture says: that it was altered, and where the original photo is."""

import discord

from bot.errors import Refused
from bot.languages import gettext as _, lazy, plazy
from bot.ui.jobs.wording import message_link
from bot.ui.kit.buttons import JobButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import NEUTRAL, boxed, lines, small
from bot.ui.kit.responses import answer
from bot.ui.kit.text import shortened
from bot.ui.reading.permissions import server_of
from bot.ui.reading.photo_lookup import is_labelled, is_smaller, shown_before
from bot.ui.reading.pictures import pictures_in

ACTION = "staged"
NO_ORIGINAL = lazy(
    "This message doesn't show the original photo, so there's nothing to link to. Run the tool again on the "
    "photo. Nothing was charged."
)
ONLY_YOURS = lazy(
    "Only you can see this picture, so a link to it works for no one else. Run the tool again without "
    "“Only I see it”. Nothing was charged."
)
# As listings name it; see California's Business and Professions Code, section 10140.8.
# Translators: the label is the server's own, usually “Virtually staged”.
WORDS = lazy("{label}: this image has been digitally altered with AI. Original, unaltered image: {link}")
USUAL_LABEL = lazy("Virtually staged")
AS_SENT = lazy(
    "The link leads to the message with the picture. It shows the photo as it was sent, without its metadata."
)
SMALLER = lazy(
    "The link leads to the message with the picture. It shows the photo smaller than it was sent "
    "(re-encoded), because Discord has a size limit here."
)
WORKS = lazy(
    "The link works for people who can see this channel, until someone deletes the message. For a public "
    "listing, save the original from there and put it where everyone can open it."
)
NO_ADVICE = lazy("This isn't legal advice: the rules of your country or listing service may ask for more.")


class StagedButton(JobButton, action=ACTION):
    """Show the presser what to write beside the picture in a listing."""

    label = plazy("button", "For a listing")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        message = interaction.message
        before = shown_before(message)
        if message is None or before is None:
            raise Refused(NO_ORIGINAL)
        link = message.jump_url
        if message.flags.ephemeral:  # one picture of a set, from the message that shows all
            job = await host.services.jobs.get(self.job_id)
            link = message_link(job) if job is not None and job.result_message_id is not None else None
        if link is None:
            raise Refused(ONLY_YOURS)
        rules = await host.services.posting.rules(server_of(interaction))
        label = shortened(rules.staging_label or str(USUAL_LABEL), 80)
        words = WORDS.using(label=label.replace("`", "'"), link=link)
        shown = SMALLER if is_smaller(before) else AS_SENT
        panel = boxed(
            NEUTRAL,
            lines(f"### 🏷️ {_('For a listing')}", _("Copy this, and put it beside the staged picture:")),
            f"```\n{words}\n```",
            lines(*map(small, (shown, WORKS, NO_ADVICE))),
        )
        await answer(interaction, panel)


def links_original(message: discord.Message | None) -> bool:
    """Return whether the message shows what `StagedButton` offers a link to."""
    return any(map(is_labelled, pictures_in(message))) and shown_before(message) is not None
