"""The ledger of credits, its sums, and the prices that are learned from it."""
