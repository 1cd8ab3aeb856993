"""The addresses that the client asks: those built from the base, and safe ones that Studii hands back."""

from urllib.parse import quote

from yarl import URL

from bot.aio.addresses import absolute_address
from bot.aio.public_hosts import reach_of


class Addresses:
    """Raises ValueError if the base is no http or https address."""

    def __init__(self, base_url: str) -> None:
        base = absolute_address(base_url)
        if base is None:
            raise ValueError("base_url must be an address such as https://studii.tech/api/v1")
        self._base = str(base).rstrip("/")
        self._origin = base.origin()
        self.reach = reach_of(base.host or "")
        self._schemes = {"https"} if base.scheme == "https" else {"http", "https"}

    @property
    def jobs(self) -> URL:
        return URL(f"{self._base}/jobs", encoded=True)

    @property
    def uploads(self) -> URL:
        return URL(f"{self._base}/uploads", encoded=True)

    def job(self, job_id: str, status_url: str | None = None) -> URL:
        """Where a job is asked for. Studii's own `status_url` is used only if it leads to Studii: the key
        goes with the request."""
        given = self.handed_back(status_url) if status_url else None
        if given is not None and given.origin() == self._origin:
            return given
        # A dot of its own would be taken for a step in the path.
        return URL(f"{self._base}/jobs/{quote(job_id, safe='').replace('.', '%2E')}", encoded=True)

    def handed_back(self, text: str) -> URL | None:
        """Return an address out of an answer, kept to the letter (a signature may depend on it).

        None if it is not safe: not https (unless the base is http itself), no host, a name and password in
        it, or a host of a local network (unless the base is local itself). This is the only check of the host
        where a proxy resolves names; else the resolver checks the address that is connected to.
        """
        url = absolute_address(text)
        if url is None or url.scheme not in self._schemes or not self.reach.allows(url.host or ""):
            return None
        return url
