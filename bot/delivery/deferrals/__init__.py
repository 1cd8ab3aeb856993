"""Deferred interactions, which are answered after a kill."""
