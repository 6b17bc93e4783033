-- Feedback of the plant: the history by days, and of each pump the latest row, which is all that
-- the scan reads.

CREATE TABLE pump_feedback (
    pump_id          integer NOT NULL CONSTRAINT pump_of_the_feedback_exists REFERENCES pumps,
    measured_at      timestamptz NOT NULL,
    actual_speed_hz  double precision
        CONSTRAINT actual_speed_hz_is_finite
            CHECK (actual_speed_hz > '-Infinity' AND actual_speed_hz < 'Infinity'),
    power_kw         double precision
        CONSTRAINT power_kw_is_finite CHECK (power_kw > '-Infinity' AND power_kw < 'Infinity'),
    flow_m3h         double precision
        CONSTRAINT flow_m3h_is_finite CHECK (flow_m3h > '-Infinity' AND flow_m3h < 'Infinity'),
    wet_well_level_m double precision
        CONSTRAINT wet_well_level_m_is_finite
            CHECK (wet_well_level_m > '-Infinity' AND wet_well_level_m < 'Infinity'),
    running          boolean,
    local_control    boolean
) PARTITION BY RANGE (measured_at);
CREATE INDEX pump_feedback_by_time ON pump_feedback USING brin (measured_at);
CREATE INDEX pump_feedback_by_pump ON pump_feedback (pump_id, measured_at);

-- Half-empty pages: an update then finds room on its own page and touches no index.
CREATE TABLE pump_feedback_latest (
    pump_id          integer PRIMARY KEY REFERENCES pumps,
    measured_at      timestamptz NOT NULL,
    actual_speed_hz  double precision,
    power_kw         double precision,
    flow_m3h         double precision,
    wet_well_level_m double precision,
    running          boolean,
    local_control    boolean
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- A row replayed late doesn't replace a newer one. A stored row that lies in the future is replaced
-- by any: it is from before the clock was set back, and would stand there until that time comes
-- again.
CREATE FUNCTION keep_latest_feedback() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    soon CONSTANT timestamptz := clock_timestamp() + interval '5 seconds';
BEGIN
    -- The order of the rows keeps two writers of the same pumps from waiting for each other.
    INSERT INTO pump_feedback_latest AS latest
        SELECT DISTINCT ON (pump_id)
            pump_id, measured_at, actual_speed_hz, power_kw, flow_m3h, wet_well_level_m, running, local_control
        FROM inserted
        ORDER BY pump_id, (measured_at > soon), measured_at DESC
    ON CONFLICT (pump_id) DO UPDATE SET
        measured_at = excluded.measured_at,
        actual_speed_hz = excluded.actual_speed_hz,
        power_kw = excluded.power_kw,
        flow_m3h = excluded.flow_m3h,
        wet_well_level_m = excluded.wet_well_level_m,
        running = excluded.running,
        local_control = excluded.local_control
    WHERE excluded.measured_at > latest.measured_at OR latest.measured_at > soon;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_latest AFTER INSERT ON pump_feedback
    REFERENCING NEW TABLE AS inserted EXECUTE FUNCTION keep_latest_feedback();

-- Attached rather than created in place: attaching blocks neither readers nor writers of the
-- history.
CREATE FUNCTION create_feedback_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    day date;
    partition text;
    created integer := 0;
BEGIN
    IF last_day - first_day NOT BETWEEN 0 AND 400 THEN
        RAISE EXCEPTION 'from % to % is not a span of 1 to 401 days', first_day, last_day
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('create_feedback_partitions'));
    FOR day IN SELECT generate_series(first_day, last_day, interval '1 day')::date LOOP
        partition := 'pump_feedback_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || partition) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.pump_feedback INCLUDING CONSTRAINTS)', partition);
        EXECUTE format(
            'ALTER TABLE public.pump_feedback ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            partition, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00'
        );
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
COMMENT ON FUNCTION create_feedback_partitions IS
    'Makes the partitions of pump_feedback for these days (UTC) that are not there yet, and says how many.';

SELECT create_feedback_partitions(today - 7, today + 31) FROM (
    SELECT (now() AT TIME ZONE 'UTC')::date AS today
) AS clock;
