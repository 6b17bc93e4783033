"""Who may do what: permissions, accounts, passwords, certificates."""
