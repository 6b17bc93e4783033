-- What the runtime records.
--
-- (source, sequence) is the record's place in the spool that it came from: a record sent twice is
-- stored once. correlation_id is the request that a record follows from. Stations and pumps are not
-- foreign keys here: a record is never lost because of what it names.

CREATE TABLE events (
    event_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL,
    sequence       bigint NOT NULL,
    occurred_at    timestamptz NOT NULL,
    scan           bigint NOT NULL,
    tag            text NOT NULL,
    station_id     text,
    pump_id        integer,
    old_value      double precision,
    new_value      double precision,
    correlation_id text,
    CONSTRAINT event_is_stored_once UNIQUE (source, sequence)
);
COMMENT ON TABLE events IS 'Every change of a recorded tag, as the scan saw it.';
CREATE INDEX events_by_time ON events USING brin (occurred_at);
CREATE INDEX events_by_pump ON events (pump_id, occurred_at);

CREATE TABLE safety_limit_violations (
    violation_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source        text NOT NULL,
    sequence      bigint NOT NULL,
    station_id    text NOT NULL,
    pump_id       integer NOT NULL,
    limit_name    text NOT NULL,
    limit_value   double precision,
    extreme_value double precision,
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    scan          bigint NOT NULL,
    CONSTRAINT violation_is_stored_once UNIQUE (source, sequence, limit_name),
    CONSTRAINT violation_ends_after_its_start CHECK (ended_at >= started_at)
);
COMMENT ON TABLE safety_limit_violations IS 'One row for each time that a limit acted: from when, how far, until when.';
CREATE INDEX safety_limit_violations_by_time ON safety_limit_violations (started_at);
CREATE INDEX safety_limit_violations_by_pump ON safety_limit_violations (pump_id, started_at);
CREATE INDEX safety_limit_violations_open ON safety_limit_violations (pump_id, limit_name) WHERE ended_at IS NULL;

CREATE TABLE failsafe_events (
    failsafe_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            text NOT NULL,
    sequence          bigint NOT NULL,
    station_id        text NOT NULL,
    event             text NOT NULL CONSTRAINT failsafe_event_is_known
        CHECK (event IN ('entered', 'left')),
    occurred_at       timestamptz NOT NULL,
    plan_age_s        double precision,
    scan              bigint NOT NULL,
    CONSTRAINT failsafe_event_is_stored_once UNIQUE (source, sequence, station_id)
);
CREATE INDEX failsafe_events_by_station ON failsafe_events (station_id, occurred_at);

CREATE TABLE emergency_stop_events (
    emergency_stop_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source                  text NOT NULL,
    sequence                bigint NOT NULL,
    emergency_stop_id       bigint NOT NULL,
    event                   text NOT NULL CONSTRAINT emergency_stop_event_is_known
        CHECK (event IN ('set', 'cleared')),
    scope                   text NOT NULL
        CONSTRAINT emergency_stop_scope_is_known CHECK (scope IN ('pump', 'station', 'system')),
    station_id              text,
    pump_id                 integer,
    occurred_at             timestamptz NOT NULL,
    actor                   text NOT NULL,
    role                    text,
    protocol                text,
    address                 text,
    reason                  text,
    latency_s               double precision,
    scan                    bigint,
    CONSTRAINT emergency_stop_event_is_stored_once UNIQUE (source, sequence),
    CONSTRAINT emergency_stop_names_what_its_scope_needs CHECK (
        num_nonnulls(station_id, pump_id) = CASE scope WHEN 'pump' THEN 2 WHEN 'station' THEN 1 ELSE 0 END
        AND (scope <> 'station' OR station_id IS NOT NULL)
    ),
    CONSTRAINT clearing_an_emergency_stop_has_a_reason
        CHECK (event <> 'cleared' OR btrim(reason) <> '')
);
CREATE INDEX emergency_stop_events_by_time ON emergency_stop_events (occurred_at);

CREATE TABLE alerts (
    alert_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source          text NOT NULL,
    sequence        bigint NOT NULL,
    tag             text NOT NULL,
    station_id      text,
    pump_id         integer,
    priority        integer NOT NULL CONSTRAINT alert_priority_is_from_1_to_4
        CHECK (priority BETWEEN 1 AND 4),
    message         text NOT NULL,
    value           double precision,
    limit_value     double precision,
    raised_at       timestamptz NOT NULL,
    cleared_at      timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    state           text NOT NULL DEFAULT 'pending'
        CONSTRAINT alert_state_is_known CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error      text,
    delivered_at    timestamptz,
    CONSTRAINT alert_is_stored_once UNIQUE (source, sequence)
);
COMMENT ON TABLE alerts IS 'The outbox: what is to be delivered, and what has become of it.';
CREATE INDEX alerts_pending ON alerts (next_attempt_at) WHERE state = 'pending';
CREATE INDEX alerts_by_time ON alerts (raised_at);

CREATE TABLE audit_log (
    audit_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL,
    sequence       bigint NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    actor          text NOT NULL,
    role           text,
    protocol       text,
    address        text,
    action         text NOT NULL,
    object         text,
    result         text NOT NULL,
    reason         text,
    correlation_id text,
    details        jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT audit_entry_is_stored_once UNIQUE (source, sequence)
);
CREATE INDEX audit_log_by_time ON audit_log (occurred_at);
CREATE INDEX audit_log_by_correlation ON audit_log (correlation_id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncation BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION refuse_change();
-- Also where a session switches ordinary triggers off.
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER refuse_truncation;
