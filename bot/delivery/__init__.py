"""Bring the engine's words and pictures to Discord, and photos from there."""

from bot.delivery.best_results import BestPoster
from bot.delivery.cdn_photos import CdnPhotoSource
from bot.delivery.context import DeliveryContext
from bot.delivery.deferrals.deferral_files import DeferralFiles
from bot.delivery.deferrals.journal import DeferralJournal
from bot.delivery.deferrals.late_answers import LateAnswers
from bot.delivery.discord import DiscordDelivery
from bot.delivery.interaction_tokens import CardTokens
