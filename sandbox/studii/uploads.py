"""Signed uploads: one PUT of known type and length to an address that expires (Studii API docs, Upload a
source image)."""

import secrets
from dataclasses import dataclass, field
from uuid import uuid4

from sandbox.studii.keys import Account

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
"""Types that may be uploaded, and what their object keys end in."""


@dataclass(eq=False)
class Upload:
    account: Account
    filename: str
    content_type: str
    expires: float
    """On the monotonic clock, in seconds."""
    object_key: str = ""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    data: bytes | None = None

    def __post_init__(self) -> None:
        self.object_key = f"{self.account.id}/{uuid4().hex}.{EXTENSIONS[self.content_type]}"
