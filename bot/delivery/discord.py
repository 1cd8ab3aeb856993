"""What tells people about their jobs: the posts, with what makes the messages of each kind."""

from bot.delivery.messages import AsideMessages, BestMessages, NoticeMessages, Read
from bot.delivery.posts import DeliveryContext, DiscordPosts, Renderer
from bot.delivery.results import ResultMessages
from bot.features.refusals import REFUSAL
from bot.jobs.best_results import BEST, BEST_ASK
from bot.jobs.confirm import QUESTION
from bot.posts import RESULT
from bot.servers.notices import NoticeKind


class DiscordDelivery(DiscordPosts):
    """The messages of all kinds of posts."""

    def __init__(self, context: DeliveryContext, read: Read) -> None:
        renderers: dict[str, Renderer] = dict.fromkeys(NoticeKind, NoticeMessages(context))
        renderers |= dict.fromkeys((QUESTION, REFUSAL), AsideMessages(context))
        renderers |= dict.fromkeys((BEST, BEST_ASK), BestMessages(context, read))
        super().__init__(context, renderers | {RESULT: ResultMessages(context)})
