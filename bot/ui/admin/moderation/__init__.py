"""What moderators decide on: requests and results, and the rules about which of them wait."""
