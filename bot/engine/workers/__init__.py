"""Background workers: photos, outputs, cards, last words, notices, housekeeping."""
