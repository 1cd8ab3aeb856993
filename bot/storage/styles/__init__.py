"""Styles, and the inputs that members prefer."""

from bot.storage.styles.defaults import MemberDefaults, defaults_of
from bot.storage.styles.styles import Styles, style_of
