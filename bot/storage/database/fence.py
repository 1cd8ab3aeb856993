"""Let a transaction on PostgreSQL write only if it finds the process's own row."""

from bot.domain.shards import Shards
from bot.errors import NotAlone
from bot.storage.database.session import Session

# A process that was stopped within a transaction keeps its locks no longer than this. Others wait for a lock
# a little longer, so that they get it then. Both are the transaction's alone, since what belongs to a
# connection does not survive PgBouncer.
IDLE_SECONDS = 5.0
LOCK_SECONDS = 8.0

NAME_PREFIX = "studii process "  # of a transaction, in pg_stat_activity

# The row is locked against being taken over, which waits for this transaction. Renewing the lease changes no
# key, and so does not wait. The name lets the next process end the transaction: the bound above does not see
# a client that was stopped between two messages of one statement, as the server doesn't call that idle.
_FENCED = (
    ", set_config('application_name', '{name}{epoch}', true)"
    " FROM processes WHERE epoch = {epoch} FOR KEY SHARE"
)


class Fence:
    """The right to write for the servers of some shards, by the number of the process that has it.

    Without a number, it is a process that works alone, or an operator's command. `shards` are those whose
    servers are this process's.
    """

    epoch: int | None = None
    shards: Shards = Shards()

    def met(self) -> None:
        """Note that a transaction found the row gone: another process has taken over."""


async def begin_fenced(current: Session, fence: Fence, patience: float) -> None:
    """Begin a transaction that writes, in one statement, within `patience` seconds.

    Raises `NotAlone` if another process has taken over.
    """
    lock, idle = _ms(min(patience, LOCK_SECONDS)), _ms(IDLE_SECONDS)
    # Its text is nearly always the same, so that it is prepared once for a connection.
    begin = (
        f"SELECT set_config('lock_timeout', '{lock}', true),"
        f" set_config('idle_in_transaction_session_timeout', '{idle}', true)"
    )
    if fence.epoch is None:
        await current.run(begin)
        return
    if (await current.run(begin + _FENCED.format(name=NAME_PREFIX, epoch=fence.epoch))).first() is None:
        fence.met()
        raise NotAlone


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))
