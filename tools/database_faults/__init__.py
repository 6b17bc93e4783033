"""What happens to the database, and what the runtime does then: tried, measured, written down."""
