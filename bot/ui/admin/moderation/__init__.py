"""Show moderators what they decide on: requests, results, rules about which of them wait, and word rules."""
