-- Retention of what is not kept by days: alerts with their attempts, and the safety tables. Rows go
-- one by one, oldest first, a few at a time, and only when what they tell of is over: a violation
-- that has ended, a failsafe that was left, an emergency stop that was cleared, all of it before that
-- time. What is still on stays, however old it is.

CREATE INDEX alert_attempts_by_time ON alert_attempts (attempted_at);

CREATE FUNCTION drop_old_records(kept text, before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    shortest CONSTANT interval := CASE
        WHEN kept IN ('alerts', 'alert_attempts') THEN interval '30 days'
        WHEN kept IN ('safety_limit_violations', 'failsafe_events', 'emergency_stop_events')
            THEN interval '365 days'
    END;
    dropped integer;
BEGIN
    IF shortest IS NULL THEN
        RAISE EXCEPTION '% loses no rows; alerts, alert_attempts and the safety tables do', kept
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF before IS NULL OR before > now() - shortest THEN
        RAISE EXCEPTION 'records of % before % are not all older than %', kept, before, shortest
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    CASE kept
    WHEN 'alerts' THEN
        DELETE FROM alerts WHERE alert_key IN (
            SELECT alert_key FROM alerts WHERE created_at < before AND ended_at < before
            ORDER BY created_at LIMIT most
        );
    WHEN 'alert_attempts' THEN
        DELETE FROM alert_attempts WHERE (source, sequence) IN (
            SELECT source, sequence FROM alert_attempts AS old
            WHERE attempted_at < before
                AND NOT EXISTS (SELECT FROM alerts WHERE alerts.alert_key = old.alert_key)
            ORDER BY attempted_at LIMIT most
        );
    WHEN 'safety_limit_violations' THEN
        DELETE FROM safety_limit_violations WHERE violation_id IN (
            SELECT violation_id FROM safety_limit_violations
            WHERE started_at < before AND ended_at < before
            ORDER BY started_at LIMIT most
        );
    -- The beginning goes before its end, so that no end is taken for a missing beginning's.
    WHEN 'failsafe_events' THEN
        DELETE FROM failsafe_events WHERE failsafe_event_id IN (
            SELECT failsafe_event_id FROM failsafe_events AS old
            WHERE occurred_at < before AND (event = 'left' OR EXISTS (
                SELECT FROM failsafe_events AS later
                WHERE later.station_id = old.station_id AND later.event = 'left'
                    AND later.occurred_at < before
                    AND later.failsafe_event_id > old.failsafe_event_id
            ))
            ORDER BY failsafe_event_id LIMIT most
        );
    WHEN 'emergency_stop_events' THEN
        DELETE FROM emergency_stop_events WHERE emergency_stop_event_id IN (
            SELECT emergency_stop_event_id FROM emergency_stop_events AS old
            WHERE occurred_at < before AND (event = 'cleared' OR EXISTS (
                SELECT FROM emergency_stop_events AS later
                WHERE later.scope = old.scope AND later.event = 'cleared'
                    AND later.station_id IS NOT DISTINCT FROM old.station_id
                    AND later.pump_id IS NOT DISTINCT FROM old.pump_id
                    AND later.occurred_at < before
                    AND later.emergency_stop_event_id > old.emergency_stop_event_id
            ))
            ORDER BY emergency_stop_event_id LIMIT most
        );
    END CASE;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION drop_old_records IS
    'Drops at most so many records of a table that were over before that time, and says how many. What is still on stays.';

REVOKE EXECUTE ON FUNCTION drop_old_records FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_old_records TO calejo_runtime;
