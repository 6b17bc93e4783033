"""Alerts: alarms brought to people by mail, SMS and webhook."""
