"""The last words on jobs: as what messages, with which files, and where they are posted."""
