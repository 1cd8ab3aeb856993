"""Helpers for asyncio and networks that know nothing of the product."""
