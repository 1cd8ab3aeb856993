"""Credits: the ledger, budgets, members' limits, prices, requests for more, and reports.

Functions of a session (see `bot.db`), with their rows and the sentences of what they refuse.
"""

from bot.credits import budgets, ledger, limits, prices, requests, usage
