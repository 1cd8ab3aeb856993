"""Jobs from their acceptance to their end: each change with its credits, and what waits for whom.

Functions of a session (see `bot.db`). No two transactions wait for each other if each takes its locks in this
order: lanes' by name (`lanes.lock`), servers' by id (`bot.credits.ledger.lock`), then rows.
"""
