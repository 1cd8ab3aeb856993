"""Accept or refuse the jobs that people ask for, with the reason."""
