"""Helpers for asyncio that know nothing of the product."""
