"""The location of the encryption key, and its rotation."""

from pathlib import Path

from bot.cli.bot_stopped import bot_stopped
from bot.config import StorageSettings
from bot.errors import SettingsError
from bot.migrate import migrate
from bot.sqlite_file import is_there, private_file, sqlite_file, unused
from bot.storage import Storage, Vault, reseal_keys


async def rotate(settings: StorageSettings) -> str:
    """Seal all Studii keys with a new encryption key, and tell what to do with the old one.

    The new one is the first of ENCRYPTION_KEYS; without that setting, one is added to the key file. The bot
    must not run meanwhile: it would continue with the old one. Raises `SettingsError`.
    """
    url = settings.database_url
    file = sqlite_file(url)
    if file is not None and not is_there(file):
        raise SettingsError(
            f"There is no database yet at {file}, so there are no keys to encrypt. Check DATABASE_URL."
        )
    async with bot_stopped(url, "rotate-keys") as member:
        await migrate(url)
        path = settings.key_file
        own_file = not settings.encryption_keys
        if own_file and not is_there(path):
            raise SettingsError(
                f"There is no encryption key at {path.absolute()}. Put its last copy back and run this "
                "again. Nothing was changed."
            )
        before = path.read_bytes() if own_file else b""
        if own_file:
            Vault.add_key(path)
        async with Storage.open(url, fence=member) as storage:
            unreadable = await reseal_keys(storage, vault_of(settings))
        if unreadable:
            raise SettingsError(_left(len(unreadable)))
        if own_file:
            kept = _keep_copy(path, before)
            Vault.drop_older_keys(path)
            done = f"Done: all Studii keys are encrypted with a new key in {path.absolute()}."
            return f"{done} The old one is in {kept.name} beside it: {_OLD_KEY}"
    name = "ENCRYPTION_KEYS_FILE" if settings.encryption_keys_file is not None else "ENCRYPTION_KEYS"
    return (
        f"Done: all Studii keys are encrypted with the first key of {name}. Remove the other keys "
        f"from it, and delete {path.absolute()} if it exists. Keep the old keys only as long as "
        "you keep backups from before."
    )


def _left(count: int) -> str:
    many = "1 Studii key was" if count == 1 else f"{count} Studii keys were"
    return (
        f"{many} not changed: none of the encryption keys opens {'it' if count == 1 else 'them'}. "
        "The old encryption keys were kept. Put the missing one back and run this again, or ask "
        "the admins of those servers to enter their Studii keys again with /studii key."
    )


_OLD_KEY = "older backups need it. Keep it separate from them, and delete it when they are gone."


def _keep_copy(path: Path, content: bytes) -> Path:
    copy = unused(path, "before")
    private_file(copy)
    copy.write_bytes(content)
    return copy


def vault_of(settings: StorageSettings) -> Vault:
    """Return the vault that the bot opens. Raises `SettingsError`."""
    keys = tuple(key.reveal() for key in settings.encryption_keys)
    return Vault.open(keys, settings.key_file, settings.keys_setting)


def key_place(settings: StorageSettings) -> str:
    """Return where the encryption key is, as a part of a sentence."""
    if settings.encryption_keys_file is not None:
        return f"in {settings.encryption_keys_file.absolute()} (ENCRYPTION_KEYS_FILE)"
    if settings.encryption_keys:
        return "in ENCRYPTION_KEYS (your environment or .env)"
    return f"in the file {settings.key_file.absolute()}"
