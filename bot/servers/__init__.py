"""Servers: their settings, keys, access rules and notices, and what is erased of them."""
