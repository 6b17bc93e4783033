-- Stations, pumps and their limits.
--
-- A parameter may be missing: equipment is entered step by step. Discovery then refuses the pump
-- and names what is missing; these constraints refuse what can never be right. Ranges of values are
-- those of runtime/tags.py and are checked by discovery too. "< 'Infinity'" refuses NaN as well,
-- which PostgreSQL sorts above every number.

-- Slots mean something only together with the database that gave them: a state directory belongs to
-- one installation.
CREATE TABLE installation (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    installation_id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO installation DEFAULT VALUES;

-- PostgreSQL's own list takes 0.1 s to read, too long for every row.
CREATE TABLE timezones (name text PRIMARY KEY);
INSERT INTO timezones SELECT name FROM pg_timezone_names WHERE name !~ '^(posix|right)/';

CREATE TABLE pump_stations (
    station_id         text PRIMARY KEY
        CONSTRAINT station_id_is_1_to_64_characters CHECK (length(station_id) BETWEEN 1 AND 64)
        CONSTRAINT station_id_has_no_slash CHECK (station_id !~ '/')
        CONSTRAINT station_id_is_printable_and_trimmed
            CHECK (station_id !~ '[\u0001-\u001f\u007f-\u009f]' AND station_id = btrim(station_id))
        CONSTRAINT station_id_is_not_the_reserved_name_system CHECK (lower(station_id) <> 'system'),
    name               text NOT NULL DEFAULT '',
    timezone           text NOT NULL DEFAULT 'UTC'
        CONSTRAINT timezone_is_a_known_name REFERENCES timezones,
    flow_direction     text NOT NULL DEFAULT 'emptying'
        CONSTRAINT flow_direction_is_emptying_or_filling
            CHECK (flow_direction IN ('emptying', 'filling')),
    well_area_m2       double precision
        CONSTRAINT well_area_m2_is_positive_and_finite
            CHECK (well_area_m2 > 0 AND well_area_m2 < 'Infinity'),
    watchdog_timeout_s double precision
        CONSTRAINT watchdog_timeout_s_is_positive_and_finite
            CHECK (watchdog_timeout_s > 0 AND watchdog_timeout_s < 'Infinity'),
    without_level      text
        CONSTRAINT without_level_is_stop_default_or_hold
            CHECK (without_level IN ('stop', 'default', 'hold')),
    active             boolean NOT NULL DEFAULT true,
    slot               integer NOT NULL CONSTRAINT station_slot_is_unique UNIQUE,
    modbus_unit        integer NOT NULL CHECK (modbus_unit BETWEEN 1 AND 240),
    modbus_base        integer NOT NULL
        CHECK (modbus_base BETWEEN 0 AND 65400 AND modbus_base % 100 = 0),
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT station_modbus_address_is_unique UNIQUE (modbus_unit, modbus_base)
);
COMMENT ON COLUMN pump_stations.flow_direction IS
    'What its pumps do to the measured level. On an emptying station a low level stops pumps, on a filling one a high.';
COMMENT ON COLUMN pump_stations.watchdog_timeout_s IS 'Age of plans that leads to failsafe; NULL: as in scan.yaml.';
COMMENT ON COLUMN pump_stations.without_level IS 'What its pumps do without a good level; NULL: as in scan.yaml.';
COMMENT ON COLUMN pump_stations.slot IS 'Row in the image. Assigned once, never used again, never changed.';

CREATE TABLE pumps (
    pump_id             integer PRIMARY KEY CONSTRAINT pump_id_is_positive CHECK (pump_id > 0),
    station_id          text NOT NULL CONSTRAINT station_of_the_pump_exists REFERENCES pump_stations,
    name                text NOT NULL DEFAULT '',
    control_type        text NOT NULL
        CONSTRAINT control_type_is_known
            CHECK (control_type IN ('DIRECT_SPEED', 'LEVEL_CONTROLLED', 'POWER_CONTROLLED')),
    min_speed_hz        double precision
        CONSTRAINT min_speed_hz_is_finite_and_not_negative
            CHECK (min_speed_hz >= 0 AND min_speed_hz < 'Infinity'),
    max_speed_hz        double precision
        CONSTRAINT max_speed_hz_is_finite_and_not_negative
            CHECK (max_speed_hz >= 0 AND max_speed_hz < 'Infinity'),
    default_setpoint_hz double precision
        CONSTRAINT default_setpoint_hz_is_finite_and_not_negative
            CHECK (default_setpoint_hz >= 0 AND default_setpoint_hz < 'Infinity'),
    emergency_action    text NOT NULL DEFAULT 'default'
        CONSTRAINT emergency_action_is_default_or_stop
            CHECK (emergency_action IN ('default', 'stop')),
    control_parameters  jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT control_parameters_is_an_object
            CHECK (jsonb_typeof(control_parameters) = 'object'),
    active              boolean NOT NULL DEFAULT true,
    slot                integer NOT NULL CONSTRAINT pump_slot_is_unique UNIQUE,
    modbus_unit         integer NOT NULL CHECK (modbus_unit BETWEEN 1 AND 240),
    modbus_base         integer NOT NULL
        CHECK (modbus_base BETWEEN 0 AND 65400 AND modbus_base % 100 = 0),
    created_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pump_modbus_address_is_unique UNIQUE (modbus_unit, modbus_base),
    CONSTRAINT min_speed_hz_is_not_above_max_speed_hz CHECK (min_speed_hz <= max_speed_hz),
    CONSTRAINT default_setpoint_hz_is_0_or_from_min_to_max_speed_hz
        CHECK (default_setpoint_hz = 0 OR default_setpoint_hz BETWEEN min_speed_hz AND max_speed_hz)
);
CREATE INDEX pumps_station_id ON pumps (station_id);
COMMENT ON COLUMN pumps.emergency_action IS 'Where an emergency stop takes the pump: its default setpoint, or stop.';
COMMENT ON COLUMN pumps.slot IS 'Row in the image. Assigned once, never used again, never changed.';

CREATE TABLE pump_safety_limits (
    pump_id                  integer PRIMARY KEY CONSTRAINT pump_of_the_limits_exists REFERENCES pumps,
    hard_min_speed_hz        double precision
        CONSTRAINT hard_min_speed_hz_is_finite_and_not_negative
            CHECK (hard_min_speed_hz >= 0 AND hard_min_speed_hz < 'Infinity'),
    hard_max_speed_hz        double precision
        CONSTRAINT hard_max_speed_hz_is_finite_and_not_negative
            CHECK (hard_max_speed_hz >= 0 AND hard_max_speed_hz < 'Infinity'),
    hard_min_level_m         double precision
        CONSTRAINT hard_min_level_m_is_finite
            CHECK (hard_min_level_m > '-Infinity' AND hard_min_level_m < 'Infinity'),
    hard_max_level_m         double precision
        CONSTRAINT hard_max_level_m_is_finite
            CHECK (hard_max_level_m > '-Infinity' AND hard_max_level_m < 'Infinity'),
    emergency_stop_level_m   double precision
        CONSTRAINT emergency_stop_level_m_is_finite
            CHECK (emergency_stop_level_m > '-Infinity' AND emergency_stop_level_m < 'Infinity'),
    dry_run_level_m          double precision
        CONSTRAINT dry_run_level_m_is_finite
            CHECK (dry_run_level_m > '-Infinity' AND dry_run_level_m < 'Infinity'),
    restart_level_m          double precision
        CONSTRAINT restart_level_m_is_finite
            CHECK (restart_level_m > '-Infinity' AND restart_level_m < 'Infinity'),
    hard_max_power_kw        double precision
        CONSTRAINT hard_max_power_kw_is_positive_and_finite
            CHECK (hard_max_power_kw > 0 AND hard_max_power_kw < 'Infinity'),
    hard_max_flow_m3h        double precision
        CONSTRAINT hard_max_flow_m3h_is_positive_and_finite
            CHECK (hard_max_flow_m3h > 0 AND hard_max_flow_m3h < 'Infinity'),
    max_speed_change_hz_per_s double precision
        CONSTRAINT max_speed_change_hz_per_s_is_positive_and_finite
            CHECK (max_speed_change_hz_per_s > 0 AND max_speed_change_hz_per_s < 'Infinity'),
    max_starts_per_hour      double precision
        CONSTRAINT max_starts_per_hour_is_at_least_1_and_finite
            CHECK (max_starts_per_hour >= 1 AND max_starts_per_hour < 'Infinity'),
    min_run_s                double precision
        CONSTRAINT min_run_s_is_finite_and_not_negative
            CHECK (min_run_s >= 0 AND min_run_s < 'Infinity'),
    min_off_s                double precision
        CONSTRAINT min_off_s_is_finite_and_not_negative
            CHECK (min_off_s >= 0 AND min_off_s < 'Infinity'),
    max_run_s                double precision
        CONSTRAINT max_run_s_is_positive_and_finite
            CHECK (max_run_s > 0 AND max_run_s < 'Infinity'),
    created_at               timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT hard_min_speed_hz_is_not_above_hard_max_speed_hz
        CHECK (hard_min_speed_hz <= hard_max_speed_hz),
    CONSTRAINT hard_min_level_m_is_below_hard_max_level_m
        CHECK (hard_min_level_m < hard_max_level_m),
    CONSTRAINT min_run_s_is_not_above_max_run_s CHECK (min_run_s <= max_run_s)
);

-- Whoever assigns an address holds this row until commit: two at once would find the same one free.
CREATE TABLE address_assignment (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row));
INSERT INTO address_assignment DEFAULT VALUES;

CREATE FUNCTION next_modbus_base(unit integer, what text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    base integer;
BEGIN
    SELECT coalesce(max(taken.modbus_base) + 100, 0) INTO base FROM (
        SELECT max(modbus_base) AS modbus_base FROM pump_stations WHERE modbus_unit = unit
        UNION ALL
        SELECT max(modbus_base) FROM pumps WHERE modbus_unit = unit
    ) AS taken;
    IF base > 65400 THEN
        RAISE EXCEPTION '% finds no room in Modbus unit %: its 655 blocks of 100 addresses are taken', what, unit
            USING ERRCODE = 'program_limit_exceeded',
                  HINT = 'Enter a further station; stations are spread over the units 1 to 240.';
    END IF;
    RETURN base;
END
$$;

-- INSERT ... ON CONFLICT runs the trigger for rows that exist too: they keep what they have.
CREATE FUNCTION assign_station_address() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF num_nonnulls(NEW.slot, NEW.modbus_unit, NEW.modbus_base) > 0 THEN
        RAISE EXCEPTION 'slot, modbus_unit and modbus_base of station "%" are assigned by the database', NEW.station_id
            USING ERRCODE = 'generated_always', HINT = 'Leave these columns out.';
    END IF;
    SELECT slot, modbus_unit, modbus_base INTO NEW.slot, NEW.modbus_unit, NEW.modbus_base
        FROM pump_stations WHERE station_id = NEW.station_id;
    IF NOT FOUND THEN
        PERFORM FROM address_assignment FOR UPDATE;
        SELECT coalesce(max(slot) + 1, 0) INTO NEW.slot FROM pump_stations;
        NEW.modbus_unit := 1 + NEW.slot % 240;
        NEW.modbus_base := next_modbus_base(NEW.modbus_unit, format('station "%s"', NEW.station_id));
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION assign_pump_address() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF num_nonnulls(NEW.slot, NEW.modbus_unit, NEW.modbus_base) > 0 THEN
        RAISE EXCEPTION 'slot, modbus_unit and modbus_base of pump % are assigned by the database', NEW.pump_id
            USING ERRCODE = 'generated_always', HINT = 'Leave these columns out.';
    END IF;
    SELECT slot, modbus_unit, modbus_base INTO NEW.slot, NEW.modbus_unit, NEW.modbus_base
        FROM pumps WHERE pump_id = NEW.pump_id;
    IF NOT FOUND THEN
        SELECT modbus_unit INTO NEW.modbus_unit FROM pump_stations WHERE station_id = NEW.station_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'pump % names the station "%", which does not exist', NEW.pump_id, NEW.station_id
                USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'station_of_the_pump_exists',
                      HINT = 'Enter the station in pump_stations first.';
        END IF;
        PERFORM FROM address_assignment FOR UPDATE;
        SELECT coalesce(max(slot) + 1, 0) INTO NEW.slot FROM pumps;
        NEW.modbus_base := next_modbus_base(NEW.modbus_unit, format('pump %s', NEW.pump_id));
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION keep_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'identity and addresses in % never change, SCADA relies on them', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation',
              DETAIL = format('This row is %s.', to_jsonb(OLD) - 'control_parameters'),
              HINT = 'Set active = false and enter a new row.';
END
$$;

CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never deleted: their history and addresses stay', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'Set active = false instead.';
END
$$;

CREATE TRIGGER assign_address BEFORE INSERT ON pump_stations
    FOR EACH ROW EXECUTE FUNCTION assign_station_address();
CREATE TRIGGER keep_address BEFORE UPDATE ON pump_stations FOR EACH ROW
    WHEN ((OLD.station_id, OLD.slot, OLD.modbus_unit, OLD.modbus_base)
          IS DISTINCT FROM (NEW.station_id, NEW.slot, NEW.modbus_unit, NEW.modbus_base))
    EXECUTE FUNCTION keep_address();
CREATE TRIGGER keep_row BEFORE DELETE ON pump_stations FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER keep_rows BEFORE TRUNCATE ON pump_stations EXECUTE FUNCTION keep_row();

CREATE TRIGGER assign_address BEFORE INSERT ON pumps
    FOR EACH ROW EXECUTE FUNCTION assign_pump_address();
CREATE TRIGGER keep_address BEFORE UPDATE ON pumps FOR EACH ROW
    WHEN ((OLD.pump_id, OLD.station_id, OLD.slot, OLD.modbus_unit, OLD.modbus_base)
          IS DISTINCT FROM (NEW.pump_id, NEW.station_id, NEW.slot, NEW.modbus_unit, NEW.modbus_base))
    EXECUTE FUNCTION keep_address();
CREATE TRIGGER keep_row BEFORE DELETE ON pumps FOR EACH ROW EXECUTE FUNCTION keep_row();
CREATE TRIGGER keep_rows BEFORE TRUNCATE ON pumps EXECUTE FUNCTION keep_row();

CREATE FUNCTION announce_equipment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('calejo_equipment', TG_TABLE_NAME);
    RETURN NULL;
END
$$;

CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON pump_stations
    EXECUTE FUNCTION announce_equipment();
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON pumps
    EXECUTE FUNCTION announce_equipment();
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON pump_safety_limits
    EXECUTE FUNCTION announce_equipment();
