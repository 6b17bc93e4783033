"""The rationalised list of alarms, as a page for those who review it."""
