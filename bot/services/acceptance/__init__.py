"""What happens when jobs are asked for: each is accepted or refused, with the reason."""
