"""URLs for requests: those built from the base URL, and checked ones from Studii's answers."""

from urllib.parse import quote

from yarl import URL

from bot.aio.public_hosts import reach_of
from bot.aio.urls import absolute_address


class Addresses:
    """Builds and checks URLs. Raises ValueError if the base is not an http or https URL."""

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
        """Return the URL of a job's status.

        `status_url` is used only if it has the origin of the base, because the request contains the key.
        """
        given = self.handed_back(status_url) if status_url else None
        if given is not None and given.origin() == self._origin:
            return given
        # A lone dot would be a segment of the path.
        return URL(f"{self._base}/jobs/{quote(job_id, safe='').replace('.', '%2E')}", encoded=True)

    def handed_back(self, text: str) -> URL | None:
        """Return a URL from an answer unchanged, as a signature may depend on it, or None if it is unsafe.

        Unsafe are other schemes than https (unless the base is http), no host, a user and password, and hosts
        of private networks (unless the base is in one). Where a proxy resolves names this is the only check
        of the host; else the resolver checks the IP address as well.
        """
        url = absolute_address(text)
        if url is None or url.scheme not in self._schemes or not self.reach.allows(url.host or ""):
            return None
        return url
