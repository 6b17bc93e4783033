"""PostgreSQL both ways: plans and feedback in, records out; schema and embedded server."""
