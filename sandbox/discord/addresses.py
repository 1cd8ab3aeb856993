"""Addresses of Discord, apart from the emulator: a bot that is pointed to one need not load it."""

CDN = "https://cdn.discordapp.com"
