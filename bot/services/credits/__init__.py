"""Credits: budgets, what they are used for, what tools cost, and reports."""
