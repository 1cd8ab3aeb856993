"""Show admins what concerns credits: the budget, limits, requests for more, and reports."""
