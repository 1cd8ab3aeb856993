"""The encryption key: where it is, and how another takes its place."""

from bot.config import Settings
from bot.errors import SettingsError
from bot.operate.alone import bot_stopped
from bot.storage import Storage, Vault, migrate, reseal_keys

KEY_FILE = "encryption.key"


async def rotate(settings: Settings) -> str:
    """Seal all Studii keys with a new encryption key, and tell what to do with the old one.

    The new one is the first of ENCRYPTION_KEYS; without that setting, one is made in the key file. The bot
    must not run meanwhile: it would go on with the old one. Raises `SettingsError`.
    """
    url = settings.database_url
    async with bot_stopped(url, "rotate-keys"):
        await migrate(url)
        path = settings.folder / KEY_FILE
        own_file = not settings.encryption_keys
        if own_file:
            Vault.add_key(path)
        async with Storage.open(url) as storage:
            unreadable = await reseal_keys(storage, vault_of(settings))
        if unreadable:
            raise SettingsError(
                f"{len(unreadable)} Studii keys could not be read with any encryption key that is there, and "
                "were left as they are. The old encryption keys were kept. Put the missing one back and run "
                "this again, or have the admins of those servers enter their keys again with /studii key."
            )
        if own_file:
            Vault.drop_older_keys(path)
            return (
                f"Done: everything is sealed with a new key in {path.absolute()}. "
                "Backups made before need the old file: keep your copy of it as long as you keep them."
            )
    return (
        "Done: everything is sealed with the first of ENCRYPTION_KEYS. Take the others out of the setting, "
        f"delete {path.absolute()} if it is there, and keep them only as long as backups from before."
    )


def vault_of(settings: Settings) -> Vault:
    """The vault as the bot opens it. Raises `SettingsError`."""
    keys = tuple(key.get_secret_value() for key in settings.encryption_keys)
    return Vault.open(keys, settings.folder / KEY_FILE)


def key_place(settings: Settings) -> str:
    """Where the encryption key is, for a sentence."""
    if settings.encryption_keys:
        return "in ENCRYPTION_KEYS (your environment or .env)"
    return f"in the file {(settings.folder / KEY_FILE).absolute()}"
