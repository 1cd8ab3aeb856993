"""One family of errors that carry the text a person is shown."""

import errno
from dataclasses import dataclass
from typing import ClassVar

from bot.languages import Worded, lazy
from bot.reasons import Reason, ReasonCode

# A full or failing disk, a port or an address that isn't free, no more memory or files.
_PASSING = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.EADDRINUSE,
        errno.EADDRNOTAVAIL,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
    }
)


class StudiiBotError(Exception):
    """Base of all errors that we raise on purpose.

    `str(error)` is a sentence that may be shown to a member as it is, in the language that is spoken then: it
    says what happened and what to do next, and holds no secret. A subclass's `default` is its sentence when
    none is given.
    """

    default: ClassVar[Worded] = lazy("Something went wrong in the bot. Try again.")
    exit_status: ClassVar[int] = 1  # of a process that it ends

    def __init__(self, message: Worded | None = None) -> None:
        super().__init__(message or self.default)


class SettingsError(StudiiBotError):
    """A setting is missing or wrong: one line for the operator, who can fix it."""

    default = "A setting is missing or wrong."  # Untranslated: operators read it
    exit_status = 2  # another start wouldn't help

    @classmethod
    def met(cls, message: str, error: Exception) -> "SettingsError":
        """Return the error for what was met: `Unavailable` if the same may work later."""
        return (Unavailable if getattr(error, "errno", None) in _PASSING else cls)(message)


class Unavailable(SettingsError):
    """The bot needs something that can't be had now, and may be later. A supervisor starts it again."""

    exit_status = 1


class Refused(StudiiBotError):
    """A request that is turned down before anything is spent: the sentence says why and who can change it."""

    default = lazy("That isn't possible here.")


class NotAllowed(Refused):
    """Refused with a sentence that quotes no one: mentions of channels, roles and members in it are shown."""


class CreditsShort(Refused):
    """The budget, an allowance, or what Studii has left for the server, has no room for it.

    `wanted`: the job that an admin can be asked for, if more credits would help.
    """

    wanted: "CreditsWanted | None" = None


@dataclass(frozen=True, slots=True)
class CreditsWanted:
    """A job for which a member of a server lacks credits, its price, and the channel that it was for."""

    guild_id: int
    tool: str
    price: int
    channel_id: int | None


class DatabaseFailed(StudiiBotError):
    """The database failed at any statement: its disk is full, its connection broke, and the like.

    It was logged, and the same may work later.
    """

    default = lazy("The bot can't use its database right now. Try again in a few minutes.")


class Busy(DatabaseFailed):
    """The database made the person wait too long."""

    default = lazy("The bot is busy right now. Try again in a moment.")


class Collided(Busy):
    """The transaction and one of another process waited for each other, so this one was undone."""


class DatabaseAway(Busy):
    """There is no way to the database's server."""

    default = lazy("The bot can't reach its database right now. Try again in a few minutes.")


class Unsure(DatabaseFailed):
    """A commit's answer was lost: no one knows whether it was made."""


class NotAlone(DatabaseAway):
    """Another process serves these servers now: nothing may be written."""

    default = lazy("The bot is restarting. Try again in a moment.")


class ReasonedError(StudiiBotError):
    """An error that ends or holds a job: `told` is what is stored of it, and worded when it is shown."""

    code: ClassVar[ReasonCode]

    def __init__(self, told: Reason | None = None) -> None:
        self.told = Reason(self.code) if told is None else told
        super().__init__(self.told.code)


class PhotoUnavailable(ReasonedError):
    """The photo that a job starts from cannot be had: the job ends unpaid."""

    code = ReasonCode.PHOTO_GONE


class PhotoDelayed(PhotoUnavailable):
    """It cannot be had for the moment; the same photo may do later."""

    code = ReasonCode.PHOTO_NOT_FETCHED
