-- What became of every alert. The outbox itself is a file beside the runtime, since the database may
-- be what an alarm is about: the table of 004, which nothing has written, gives way to its history.

DROP TABLE alerts;

CREATE TABLE alerts (
    alert_key     text PRIMARY KEY,
    source        text NOT NULL,
    sequence      bigint NOT NULL,
    alarm_key     text,
    kind          text NOT NULL CONSTRAINT alert_kind_is_known
        CHECK (kind IN ('raised', 'cleared', 'digest', 'test')),
    channel       text NOT NULL,
    tag           text,
    station_id    text,
    pump_id       integer,
    priority      integer NOT NULL CONSTRAINT alert_priority_is_from_1_to_4
        CHECK (priority BETWEEN 1 AND 4),
    title         text NOT NULL,
    message       text NOT NULL,
    value         text,
    limit_value   text,
    raised_at     timestamptz,
    created_at    timestamptz NOT NULL,
    state         text NOT NULL CONSTRAINT alert_state_is_known
        CHECK (state IN ('gathered', 'digested', 'pending', 'delivered', 'expired', 'withdrawn')),
    attempts      integer NOT NULL,
    last_error    text,
    ended_at      timestamptz,
    digest_key    text
);
COMMENT ON TABLE alerts IS 'Messages that tell people of alarms: one row for each channel and step, with what became of it.';
COMMENT ON COLUMN alerts.sequence IS 'Place in the outbox of the newest record that this row is from.';
COMMENT ON COLUMN alerts.raised_at IS 'Since when the alarm has been active.';
CREATE INDEX alerts_by_time ON alerts (created_at);
CREATE INDEX alerts_by_alarm ON alerts (alarm_key);

CREATE TABLE alert_attempts (
    source       text NOT NULL,
    sequence     bigint NOT NULL,
    alert_key    text NOT NULL,
    attempt      integer NOT NULL,
    attempted_at timestamptz NOT NULL,
    took_s       double precision NOT NULL,
    outcome      text NOT NULL CONSTRAINT alert_outcome_is_known CHECK (outcome IN ('delivered', 'failed')),
    error        text,
    PRIMARY KEY (source, sequence)
);
COMMENT ON TABLE alert_attempts IS 'Every attempt to deliver an alert.';
CREATE INDEX alert_attempts_by_alert ON alert_attempts (alert_key, attempt);

GRANT SELECT ON alerts, alert_attempts TO calejo_runtime, control_reader;
GRANT INSERT ON alerts, alert_attempts TO calejo_runtime;
GRANT UPDATE (source, sequence, state, attempts, last_error, ended_at, digest_key) ON alerts TO calejo_runtime;
