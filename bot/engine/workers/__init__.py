"""Background workers: photos, outputs, last words, notices, housekeeping."""
