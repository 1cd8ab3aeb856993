"""Starred results: how they are shown, and the question to their makers."""
