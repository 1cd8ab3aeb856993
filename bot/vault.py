"""Encryption of stored Studii keys, and lane names that do not reveal them."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy.orm import Session

from bot import meta
from bot.base import put
from bot.errors import ReasonedError, SettingsError
from bot.reasons import ReasonCode
from bot.sqlite_file import is_there, replacing

_HOW = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
_LANE_SECRET = "lane-secret"  # noqa: S105 - the name that it is kept under


class CannotDecrypt(ReasonedError):
    """A secret was encrypted with an encryption key that is missing."""

    code = ReasonCode.KEY_UNREADABLE


@dataclass(frozen=True, slots=True)
class Vault:
    """Encrypts (seals) and decrypts short secrets with Fernet. The first key encrypts, all decrypt."""

    _fernet: MultiFernet = field(repr=False)

    @classmethod
    def open(cls, keys: Sequence[str], key_file: Path, setting: str = "ENCRYPTION_KEYS") -> "Vault":
        """Open a vault with `keys`, newest first, and those in `key_file`, which is created without `keys`.

        The file has one key a line, newest first. With `keys` its keys only decrypt. `setting` says where
        `keys` are from. Blocks. Raises `SettingsError` for an invalid key, and if the file can't be read or
        created.
        """
        fernets = cls.checked(keys, setting)
        try:
            if not keys and not is_there(key_file):
                key_file.parent.mkdir(parents=True, exist_ok=True)
                _write(key_file, Fernet.generate_key() + b"\n")
            if is_there(key_file):
                message = (
                    f"{key_file} doesn't hold an encryption key. Put its last copy back. If there is none, "
                    "move the file away: the next start makes a new key, and admins must enter their Studii "
                    "keys again."
                )
                fernets += [_fernet(line, message) for line in key_file.read_text("utf-8").split() or [""]]
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError.met(
                f"The key file {key_file} can't be used ({_why(error)}). Let the bot read and write it, "
                "put its last copy back, or set ENCRYPTION_KEYS.",
                error,
            ) from error
        return cls(MultiFernet(fernets))

    @staticmethod
    def checked(keys: Sequence[str], setting: str) -> list[Fernet]:
        """Return the keys that are in the setting. Raises `SettingsError` for an invalid one."""
        return [
            _fernet(
                key, f"{setting}: key {number} of {len(keys)} isn't an encryption key. Make one with: {_HOW}"
            )
            for number, key in enumerate(keys, 1)
        ]

    @staticmethod
    def add_key(key_file: Path) -> None:
        """Put a new key in front of those in the file. Raises `SettingsError`."""
        try:
            _write(key_file, Fernet.generate_key() + b"\n" + key_file.read_bytes())
        except OSError as error:
            raise SettingsError(
                f"The key file {key_file} can't be changed ({_why(error)}). Nothing was changed."
            ) from error

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def unseal(self, sealed: bytes) -> str:
        """Decrypt a sealed key. Raises `CannotDecrypt`."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise CannotDecrypt from None

    def opens(self, sealed: bytes) -> bool:
        """Return whether it can decrypt a sealed key. Quick, as sealed text is short."""
        try:
            self.unseal(sealed)
        except CannotDecrypt:
            return False
        return True


LaneNames = Callable[[str], str]
"""Returns the lane of a Studii key: a keyed hash (HMAC-SHA256) of it, 64 hex digits.

The hash has a secret of its own, so that new encryption keys rename no lane.
"""


def lane_names(session: Session, vault: Vault) -> LaneNames:
    """Read the secret, or make a new one if there is none that can be decrypted.

    It is stored encrypted with the newest key.
    """
    secret = secrets.token_hex(32)
    # Two processes may begin at once.
    put(session, meta.Meta, {"name": _LANE_SECRET}, replace=False, value=vault.seal(secret))
    with suppress(CannotDecrypt):
        secret = vault.unseal(meta.get(session, _LANE_SECRET) or b"")
    meta.set_to(session, _LANE_SECRET, vault.seal(secret))
    return lambda key: hmac.new(bytes.fromhex(secret), key.encode(), hashlib.sha256).hexdigest()


def opens_lane_names(session: Session, vault: Vault) -> bool:
    """Return whether the vault opens the secret, if one is stored."""
    sealed = meta.get(session, _LANE_SECRET)
    return sealed is None or vault.opens(sealed)


def _fernet(key: str, message: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        # Without the cause: it might quote the key.
        raise SettingsError(message) from None


def _why(error: Exception) -> str:
    return (error.strerror or "").lower() if isinstance(error, OSError) else "it isn't text"


def _write(path: Path, content: bytes) -> None:
    """Replace the file atomically. Only its owner may read it."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)
