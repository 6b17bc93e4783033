"""The audit log from outside the database: anchors, verification, search, reports."""
