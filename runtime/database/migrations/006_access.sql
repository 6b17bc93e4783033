-- Who may do what. Functions that run with their owner's rights are not for everybody.

REVOKE EXECUTE ON FUNCTION next_modbus_base, create_feedback_partitions FROM PUBLIC;

GRANT USAGE ON SCHEMA public
    TO calejo_runtime, control_reader, equipment_writer, plan_writer, feedback_writer;

-- The runtime reads what steers it and appends what it records. It can't change a plan, a limit or
-- the past.
GRANT SELECT ON
    schema_migrations, installation, timezones, pump_stations, pumps, pump_safety_limits, pump_plans, plan_heartbeats, plan_changes,
    pump_feedback, pump_feedback_latest, events, safety_limit_violations, failsafe_events, emergency_stop_events,
    alerts, audit_log, users, sessions
    TO calejo_runtime;
GRANT INSERT ON
    events, safety_limit_violations, failsafe_events, emergency_stop_events, alerts, audit_log, sessions
    TO calejo_runtime;
GRANT UPDATE (limit_value, extreme_value, ended_at) ON safety_limit_violations TO calejo_runtime;
GRANT UPDATE (
    cleared_at, acknowledged_at, acknowledged_by, state, attempts, next_attempt_at, last_error, delivered_at
) ON alerts TO calejo_runtime;
GRANT UPDATE (password_hash, totp_secret, failed_attempts, locked_until, password_changed_at) ON users
    TO calejo_runtime;
GRANT UPDATE (last_seen_at, revoked_at) ON sessions TO calejo_runtime;
GRANT DELETE ON plan_changes, sessions TO calejo_runtime;
GRANT EXECUTE ON FUNCTION create_feedback_partitions TO calejo_runtime, feedback_writer;

GRANT SELECT ON
    schema_migrations, installation, timezones, pump_stations, pumps, pump_safety_limits, pump_plans, plan_heartbeats, plan_changes,
    pump_feedback, pump_feedback_latest, events, safety_limit_violations, failsafe_events, emergency_stop_events,
    alerts, audit_log
    TO control_reader;
GRANT SELECT (
    user_id, username, role, active, failed_attempts, locked_until, password_changed_at, created_at
) ON users TO control_reader;
GRANT SELECT (session_id, user_id, address, created_at, last_seen_at, expires_at, revoked_at) ON sessions
    TO control_reader;

GRANT SELECT ON timezones, pump_stations, pumps, pump_safety_limits
    TO equipment_writer, plan_writer, feedback_writer;
GRANT INSERT, UPDATE ON pump_stations, pumps, pump_safety_limits TO equipment_writer;
GRANT SELECT, INSERT, UPDATE ON pump_plans, plan_heartbeats TO plan_writer;
GRANT SELECT ON pump_feedback, pump_feedback_latest TO plan_writer;
GRANT SELECT, INSERT ON pump_feedback TO feedback_writer;
GRANT SELECT ON pump_feedback_latest TO feedback_writer;
