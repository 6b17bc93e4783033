"""The list of all tags, for the people who connect a SCADA system (`calejo tags`)."""
