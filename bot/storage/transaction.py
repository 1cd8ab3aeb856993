"""One transaction, with a repository for each subject."""

from bot.storage.access import Policies
from bot.storage.audit import Audit
from bot.storage.database.session import Session
from bot.storage.decodes import Decodes
from bot.storage.durations import DurationSamples
from bot.storage.guilds import Guilds, LogChannels, MemberLanguages
from bot.storage.holds import Holds
from bot.storage.jobs import JobCards, JobQueue, Jobs, MemberJobs
from bot.storage.keys import Keys
from bot.storage.lanes import LaneLimitRows, Lanes
from bot.storage.ledger import Ledger
from bot.storage.meta import Meta
from bot.storage.moderation import Refusals, WordRules
from bot.storage.notices import Notices
from bot.storage.photo_rules import PhotoRulings
from bot.storage.posting import BestResults, PostingRulings
from bot.storage.prices import Prices
from bot.storage.privacy import Privacy
from bot.storage.questions import Confirmations, CreditRequests, Offers
from bot.storage.servers import ServerMemory, Servers
from bot.storage.styles import MemberDefaults, Styles
from bot.storage.unreadable_check import UnreadableCheck
from bot.storage.usage import Totals, UsageSums


class Transaction:
    """Everything that is kept, seen and changed within one transaction."""

    def __init__(self, session: Session, memory: ServerMemory | None = None) -> None:
        self._session = session
        self.jobs = Jobs(session)
        self.job_cards = JobCards(session)
        self.job_queue = JobQueue(session)
        self.member_jobs = MemberJobs(session)
        self.servers = Servers(session, memory)
        self.ledger = Ledger(session)
        self.audit = Audit(session)
        self.guilds = Guilds(session)
        self.member_languages = MemberLanguages(session)
        self.keys = Keys(session)
        self.lanes = Lanes(session)
        self.lane_limits = LaneLimitRows(session)
        self.prices = Prices(session)
        self.privacy = Privacy(session)
        self.decodes = Decodes(session)
        self.durations = DurationSamples(session)
        self.meta = Meta(session)
        self.notices = Notices(session)
        self.usage = UsageSums(session)
        self.holds = Holds(session)
        self.log_channels = LogChannels(session)
        self.totals = Totals(session)
        self.policies = Policies(session)
        self.refusals = Refusals(session)
        self.word_rules = WordRules(session)
        self.photo_rules = PhotoRulings(session)
        self.confirmations = Confirmations(session)
        self.posting_rules = PostingRulings(session)
        self.offers = Offers(session)
        self.best = BestResults(session)
        self.credit_requests = CreditRequests(session)
        self.styles = Styles(session)
        self.member_defaults = MemberDefaults(session)
        self.unreadable = UnreadableCheck(session)

    async def begin(self) -> None:
        """Begin now: on SQLite, a transaction begins together with its first statement."""
        await self._session.run("SELECT 1")
