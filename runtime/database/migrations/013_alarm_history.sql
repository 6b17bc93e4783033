-- Changes of the states of alarms, in the order in which they are read as history: among a day's events
-- they are few, and a reader of a year must not go through all the others.

CREATE INDEX events_of_alarms ON events (occurred_at, event_id) WHERE tag LIKE '%State';
