"""Styles, and the inputs that members prefer."""

from bot.services.styles.defaults import DefaultsService
from bot.services.styles.fitting import WordsNeeded, ensure_for, inputs_of, misfit, tool_of
from bot.services.styles.styles import NewStyle, StyleService
