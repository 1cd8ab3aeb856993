"""The base of repositories."""

from bot.storage.database.session import Session


class Repository:
    """Reads and changes the rows of a subject within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
