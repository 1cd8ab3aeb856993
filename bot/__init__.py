"""Studii for Discord."""
