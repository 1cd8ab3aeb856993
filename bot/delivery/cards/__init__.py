"""The cards of jobs: edited while their interactions' tokens live and after, and removed."""
