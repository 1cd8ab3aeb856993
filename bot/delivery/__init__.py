"""Bring the engine's words and pictures to Discord, and photos from there."""

from bot.delivery.answers import Answers
from bot.delivery.cdn_photos import CdnPhotoSource
from bot.delivery.messages import DeliveryContext
from bot.delivery.posts import DiscordDelivery
