"""The actions of people: one service for each subject, called by commands, forms and buttons."""

from bot.services.build import Services, build_services
