"""The threads in which results are posted."""

import logging

import discord

from bot.delivery.destination import Target, channel_of, photo_message_of
from bot.delivery.errors import ensure_final
from bot.jobs.models import Job
from bot.ui.jobs.wording import ToolNames

_log = logging.getLogger(__name__)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
ALREADY_THERE = 160004
MAX_THREAD_NAME_CHARACTERS = 100


async def thread_for(
    client: discord.Client, names: ToolNames, job: Job, *, keeps_card: bool
) -> Target | None:
    """Return the thread for the job's result: under the photo's message, else under the job's card.

    A thread has the id of the message that it is under, so it is found again after a restart. Returns None
    if there is no such message, or no thread can be under it. Raises what may pass.
    """
    photo = photo_message_of(job)
    above = photo or job.card_message_id
    if above is None:
        return None
    # The card is what the channel shows of a thread under it.
    target = Target(above, keeps_card=keeps_card or photo is None)
    try:
        message = channel_of(client, job).get_partial_message(above)
        await message.create_thread(name=names.title(job.tool)[:MAX_THREAD_NAME_CHARACTERS])
    except discord.HTTPException as error:
        if error.code == ALREADY_THERE:
            return target
        ensure_final(error)
        _log.info("Job %s: no thread for its result: %r", job.id, error)
        return None
    except ValueError:  # the server is not known yet, as before the gateway is ready
        raise TimeoutError from None
    return target
