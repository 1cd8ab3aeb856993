"""What `doctor` looks at in the processes that open pictures."""

from bot.cli.findings import Finding, Verdict
from bot.config import Settings
from bot.media.pool import DecoderPool


async def pictures(_: Settings) -> list[Finding]:
    """Whether a decoder starts here, and whether the system bounds what it takes."""
    try:
        async with DecoderPool() as decoder:
            missing = await decoder.missing()
    except OSError as error:
        words = f"Pictures can't be opened: {error.strerror or error}. No photo works until that is fixed."
        return [Finding("Pictures", Verdict.STOPS, words)]
    if missing:
        words = (
            f"This system can't limit the {' and '.join(missing)} of a process. The bot works, but a hostile "
            "picture can use more than it should until its time is over. Linux has these limits."
        )
        return [Finding("Pictures", Verdict.LOOK, words)]
    words = "They are opened in processes with limits on memory, processor time and duration."
    return [Finding("Pictures", Verdict.GOOD, words)]
