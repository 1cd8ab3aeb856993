"""Where the bytes of attachments come from while Discord is simulated."""

from simcord import Env


class UnknownAttachmentError(LookupError):
    """The simulated Discord holds nothing under this address."""


class AttachmentTooLargeError(ValueError):
    """The attachment is larger than the caller wants to have."""


class SimulatedCdn:
    """Serves what members and the bot have attached, as Discord's CDN would, without a network."""

    def __init__(self, env: Env) -> None:
        self._env = env

    async def fetch(self, url: str, *, limit: int) -> bytes:
        """Return the bytes behind an attachment's address.

        Raises UnknownAttachmentError when there is no such attachment, and AttachmentTooLargeError when it
        has more than limit bytes.
        """
        data = self._env.backend.cdn.get(url)
        if data is None:
            raise UnknownAttachmentError(f"The simulated Discord has no attachment at {url}.")
        if len(data) > limit:
            raise AttachmentTooLargeError(
                f"The attachment at {url} has {len(data)} bytes, more than {limit}."
            )
        return data
