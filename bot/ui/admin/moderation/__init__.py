"""What moderators decide on: requests and results, the rules about which of them wait, and word rules."""
