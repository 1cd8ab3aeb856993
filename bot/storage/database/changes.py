"""The changes of a transaction, for those who act on them without asking the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.sql.dml import UpdateBase

from bot.domain.shards import Shards
from bot.jobs.models import Job

# Changes in these tables that no repository names are told as `others`.
_WATCHED = frozenset({"jobs", "guilds", "log_channels", "studii_keys", "holds", "posts", "confirmations"})


@dataclass(slots=True)
class Changes:
    """The changes of one committed transaction.

    `jobs` are the changed jobs as they are now, by id, and `posts` that a message is to be sent, edited
    or deleted. `best`: a starred result is to be shown, or to be taken back. `lanes`: jobs on lanes may have
    changed that are not named. `questions`: one was asked or withdrawn. With `others`, more has changed
    than these: what is kept in memory has to be read again.
    """

    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    posts: bool = False
    best: bool = False
    lanes: bool = False
    questions: bool = False
    others: bool = False

    def of(self, shards: Shards) -> "Changes":
        """Return the changes that concern the servers of these shards.

        A transaction may change jobs of other processes' servers, as when it learns the price of a key that
        they share: those processes continue with them.
        """
        if shards.all:
            return self
        jobs = {job.id: job for job in self.jobs.values() if shards.has(job.guild_id)}
        return replace(self, jobs=jobs)

    def note(self, statement: Any) -> None:
        """Note a statement that changes something that no repository names."""
        if isinstance(statement, UpdateBase) and getattr(statement.table, "name", "") in _WATCHED:
            self.others = True

    def add(self, wakes: Mapping[Any, Any]) -> None:
        """Add changed jobs, and what `wake` was given: ("posts",), ("best",), or anything else."""
        for one, now in wakes.items():
            if one[0] == "job":
                self.jobs[one[1]] = now
            elif one == ("posts",):
                self.posts = True
            elif one == ("best",):
                self.best = True
            elif one == ("lanes",):
                self.lanes = True
            elif one == ("questions",):
                self.questions = True
            else:
                self.others = True

    def __bool__(self) -> bool:
        return bool(self.others or self.jobs or self.posts or self.best or self.lanes or self.questions)
