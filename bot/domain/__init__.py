"""Values of servers' settings, approvals, and shards. Frozen values without I/O.

Times are aware and in UTC; credits are whole numbers.
"""
