"""What admins see and press of credits: the budget, limits, requests for more, and reports."""
