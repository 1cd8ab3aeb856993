"""The database, SQLite or PostgreSQL. Its repositories take and return values of `bot.domain`."""

from bot.storage.credits.budget_sums import UsedCredits
from bot.storage.credits.ledger import ReservationError
from bot.storage.database.backup import WAS_RESTORED, copy_database, fault_of, replace_database
from bot.storage.database.changes import Changes
from bot.storage.database.errors import UNUSABLE, address_shown, usable_database
from bot.storage.database.fence import Fence
from bot.storage.database.file_checks import ensure_ours, ensure_sound
from bot.storage.database.location import fresh_file, is_there, private_file, sqlite_file, unused, unwritable
from bot.storage.database.locks import AnotherInstance, instance_lock
from bot.storage.database.migrations import foreign, migrate, schema_of
from bot.storage.database.move import copy_rows
from bot.storage.database.privileges import missing_privileges_at
from bot.storage.durations import Sample
from bot.storage.holds import Hold
from bot.storage.jobs import CardShown, JobChanges
from bot.storage.lanes import LaneLimits, Sent
from bot.storage.processes import DeferralTable, ProcessTable, ShardCounts
from bot.storage.servers import ServerConfig
from bot.storage.storage import COMMAND_WRITE_TIMEOUT, Storage
from bot.storage.transaction import Transaction
from bot.storage.vault import CannotDecrypt, LaneNames, Vault, reseal_keys
