-- History of values, tables that are kept by days, and how long.
--
-- A record lies in the partition of the day (UTC) that it carries itself, so that one that is sent
-- again meets the one that is there. Whole partitions are made ahead and dropped when they are old.

CREATE FUNCTION create_partitions(parent text, first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    day date;
    partition text;
    created integer := 0;
BEGIN
    IF parent IS NULL OR parent NOT IN ('pump_feedback', 'events', 'history') THEN
        RAISE EXCEPTION '% is not kept by days; pump_feedback, events and history are', parent
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF last_day - first_day NOT BETWEEN 0 AND 400 THEN
        RAISE EXCEPTION 'from % to % is not a span of 1 to 401 days', first_day, last_day
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR day IN SELECT generate_series(first_day, last_day, interval '1 day')::date LOOP
        partition := parent || '_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || partition) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(hashtext('create_partitions'));
        CONTINUE WHEN to_regclass('public.' || partition) IS NOT NULL;
        -- Attached rather than created in place: attaching blocks neither readers nor writers.
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING CONSTRAINTS)', partition, parent);
        EXECUTE format(
            'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            parent, partition, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00'
        );
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
COMMENT ON FUNCTION create_partitions IS
    'Makes the partitions of a table for these days (UTC) that are not there yet, and says how many.';

CREATE OR REPLACE FUNCTION create_feedback_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT public.create_partitions('pump_feedback', first_day, last_day)
$$;

-- One at a time: each drop is a transaction of its own and holds its lock for moments. Whoever has
-- the runtime's password can't drop what is younger than a week.
CREATE FUNCTION drop_oldest_partition(parent text, before date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    partition text;
BEGIN
    IF parent IS NULL OR parent NOT IN ('pump_feedback', 'events', 'history') THEN
        RAISE EXCEPTION '% is not dropped by days; pump_feedback, events and history are', parent
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF before IS NULL OR before > (now() AT TIME ZONE 'UTC')::date - 7 THEN
        RAISE EXCEPTION 'days before % are not all older than a week', before
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT relname INTO partition
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = ('public.' || parent)::regclass
            AND relname ~ ('^' || parent || '_[0-9]{8}$')
            AND to_date(right(relname, 8), 'YYYYMMDD') < before
        ORDER BY relname LIMIT 1;
    IF partition IS NOT NULL THEN
        EXECUTE format('DROP TABLE public.%I', partition);
    END IF;
    RETURN partition;
END
$$;
COMMENT ON FUNCTION drop_oldest_partition IS
    'Drops the oldest partition of a table if all of it is before that day (UTC); its name, or NULL.';

-- Which tag of which row a number in the history stands for. A slot stands for one pump or station
-- for life; their names are kept here, so that a record outlives what it names.
CREATE TABLE history_series (
    series_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tag        text NOT NULL,
    slot       integer NOT NULL,
    station_id text,
    pump_id    integer,
    CONSTRAINT series_is_of_one_tag_and_slot UNIQUE (tag, slot)
);
CREATE INDEX history_series_by_pump ON history_series (pump_id, tag);
CREATE INDEX history_series_by_station ON history_series (station_id, tag);

-- The order of the columns leaves no holes: 60 bytes a row, and about 85 in the index, which holds all
-- that drawing a line needs.
CREATE TABLE history (
    occurred_at timestamptz NOT NULL,
    scan        bigint NOT NULL,
    value       double precision NOT NULL,
    series_id   integer NOT NULL,
    quality     smallint NOT NULL CONSTRAINT quality_is_bad_uncertain_or_good
        CHECK (quality BETWEEN 0 AND 2),
    CONSTRAINT value_is_stored_once UNIQUE (series_id, occurred_at) INCLUDE (value, quality)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX history_by_time ON history USING brin (occurred_at);
COMMENT ON TABLE history IS
    'Values when they changed by more than their deadband, and after a silence. Each holds until the next of its series.';
COMMENT ON COLUMN history.quality IS '0 Bad, 1 Uncertain, 2 Good.';

CREATE VIEW tag_history AS
    SELECT tag, station_id, pump_id, occurred_at, value, quality, scan
    FROM history JOIN history_series USING (series_id);
COMMENT ON VIEW tag_history IS 'The history with its names.';

-- Events by days. The key of a record now holds its time, which it keeps when it is sent again.
ALTER TABLE events RENAME TO events_before;
ALTER TABLE events_before RENAME CONSTRAINT event_is_stored_once TO event_was_stored_once;
ALTER INDEX events_by_time RENAME TO events_before_by_time;
ALTER INDEX events_by_pump RENAME TO events_before_by_pump;
ALTER INDEX events_pkey RENAME TO events_before_pkey;

CREATE TABLE events (
    event_id       bigint GENERATED ALWAYS AS IDENTITY,
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
    PRIMARY KEY (event_id, occurred_at),
    CONSTRAINT event_is_stored_once UNIQUE (source, sequence, occurred_at)
) PARTITION BY RANGE (occurred_at);
COMMENT ON TABLE events IS 'Every change of a recorded tag, as the scan saw it.';
CREATE INDEX events_by_time ON events USING brin (occurred_at);
CREATE INDEX events_by_pump ON events (pump_id, occurred_at);
CREATE INDEX events_by_correlation ON events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX events_by_scan ON events (scan);

SELECT create_partitions('events', day, day)
FROM (SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date AS day FROM events_before) AS days;
INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM events_before ORDER BY event_id;
SELECT setval(pg_get_serial_sequence('events', 'event_id'), max(event_id)) FROM events_before HAVING count(*) > 0;
DROP TABLE events_before;

-- A client's own id of his request lies beside the number that the scan knows it by.
CREATE INDEX audit_log_by_trace ON audit_log ((details::jsonb ->> 'trace'))
    WHERE details::jsonb ->> 'trace' IS NOT NULL;

SELECT create_partitions(parent, today - 1, today + 31)
FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS clock,
     unnest(ARRAY['events', 'history']) AS parent;

REVOKE EXECUTE ON FUNCTION create_partitions, drop_oldest_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_partitions, drop_oldest_partition TO calejo_runtime;
GRANT SELECT ON events, history, history_series, tag_history TO calejo_runtime, control_reader;
GRANT INSERT ON events, history, history_series TO calejo_runtime;
