"""Everything that outlives the process, in SQLite or PostgreSQL; hands out values of `bot.model` alone."""

from bot.storage.copies import WAS_RESTORED, copy_database, fault_of, put_back
from bot.storage.database import Storage, Transaction
from bot.storage.files import private_file, sqlite_file, unused
from bot.storage.first_look import ensure_sound
from bot.storage.jobs import JobChanges
from bot.storage.lane_limits import LaneLimits
from bot.storage.lanes import Sent
from bot.storage.ledger import ReservationError
from bot.storage.locks import AnotherInstance, InstanceLock, instance_lock
from bot.storage.migrations import foreign, migrate, schema_of
from bot.storage.rights import missing_rights_at
from bot.storage.rulings import NOBODY_RULED, RULED_CHARGED, RULED_RELEASED, rule
from bot.storage.secrets import CannotDecrypt, LaneNames, Vault, reseal_keys
from bot.storage.trouble import UNUSABLE, is_trouble, shown, unusable

__all__ = [
    "NOBODY_RULED",
    "RULED_CHARGED",
    "RULED_RELEASED",
    "UNUSABLE",
    "WAS_RESTORED",
    "AnotherInstance",
    "CannotDecrypt",
    "InstanceLock",
    "JobChanges",
    "LaneLimits",
    "LaneNames",
    "ReservationError",
    "Sent",
    "Storage",
    "Transaction",
    "Vault",
    "copy_database",
    "ensure_sound",
    "fault_of",
    "foreign",
    "instance_lock",
    "is_trouble",
    "migrate",
    "missing_rights_at",
    "private_file",
    "put_back",
    "reseal_keys",
    "rule",
    "schema_of",
    "shown",
    "sqlite_file",
    "unusable",
    "unused",
]
