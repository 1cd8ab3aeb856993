"""The ledger of credits, sums of it, and the prices that are learned from it."""
