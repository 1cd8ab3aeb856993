"""What carries the repositories: connections, transactions, locks, migrations, the vault."""
