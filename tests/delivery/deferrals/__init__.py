"""Deferred interactions."""
