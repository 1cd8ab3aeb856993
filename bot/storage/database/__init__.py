"""The machinery below the repositories: connections, transactions, locks, migrations, the vault."""
