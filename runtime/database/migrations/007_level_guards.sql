-- Levels that guard the well in every mode, how long a lost level is waited for, and limits that the
-- runtime can keep.
--
-- "On the pumping side" is above on an emptying station and below on a filling one. There the levels
-- of a pump lie in this order: trip levels, stop, restart, start, all-run. Which way that is, another
-- table says, so here only levels that fit neither way are refused; discovery checks the rest.

ALTER TABLE pump_stations
    ADD COLUMN level_hold_s double precision
        CONSTRAINT level_hold_s_is_finite_and_not_negative
            CHECK (level_hold_s >= 0 AND level_hold_s < 'Infinity');
COMMENT ON COLUMN pump_stations.level_hold_s IS
    'How long its pumps hold their setpoints after the level is lost, before without_level acts; NULL: as in scan.yaml.';
COMMENT ON COLUMN pump_stations.well_area_m2 IS
    'Surface of the well or tank; NULL: not known, so inflow and tolerable times are not either.';

ALTER TABLE pump_safety_limits
    ADD COLUMN start_level_m double precision
        CONSTRAINT start_level_m_is_finite
            CHECK (start_level_m > '-Infinity' AND start_level_m < 'Infinity'),
    ADD COLUMN stop_level_m double precision
        CONSTRAINT stop_level_m_is_finite
            CHECK (stop_level_m > '-Infinity' AND stop_level_m < 'Infinity'),
    ADD COLUMN all_run_level_m double precision
        CONSTRAINT all_run_level_m_is_finite
            CHECK (all_run_level_m > '-Infinity' AND all_run_level_m < 'Infinity'),
    ADD CONSTRAINT stop_level_m_is_from_hard_min_to_hard_max_level_m
        CHECK (stop_level_m BETWEEN hard_min_level_m AND hard_max_level_m),
    ADD CONSTRAINT all_run_level_m_is_from_hard_min_to_hard_max_level_m
        CHECK (all_run_level_m BETWEEN hard_min_level_m AND hard_max_level_m),
    ADD CONSTRAINT stop_restart_start_and_all_run_levels_all_rise_or_all_fall CHECK (
        stop_level_m < restart_level_m AND restart_level_m < start_level_m AND start_level_m < all_run_level_m
            AND stop_level_m < start_level_m AND stop_level_m < all_run_level_m AND restart_level_m < all_run_level_m
        OR stop_level_m > restart_level_m AND restart_level_m > start_level_m AND start_level_m > all_run_level_m
            AND stop_level_m > start_level_m AND stop_level_m > all_run_level_m AND restart_level_m > all_run_level_m
    );
COMMENT ON COLUMN pump_safety_limits.start_level_m IS
    'Level at which a pump of the station must run in any mode; NULL: half way from restart_level_m to all_run_level_m.';
COMMENT ON COLUMN pump_safety_limits.stop_level_m IS
    'Level at which the pump may not go on in any mode; NULL: its highest trip level (filling: its lowest).';
COMMENT ON COLUMN pump_safety_limits.all_run_level_m IS
    'Level at which all pumps of the station must run in any mode; NULL: hard_max_level_m (filling: hard_min_level_m).';

-- The runtime keeps the last 20 starts of a pump. Whoever allowed more gets the stricter limit.
UPDATE pump_safety_limits SET max_starts_per_hour = 20 WHERE max_starts_per_hour > 20;
ALTER TABLE pump_safety_limits
    ADD CONSTRAINT max_starts_per_hour_is_at_most_20 CHECK (max_starts_per_hour <= 20);
COMMENT ON COLUMN pump_safety_limits.max_starts_per_hour IS
    'Starts allowed in any 3600 s, counted from what is observed, local starts included.';

-- A row from before that breaks this is named by discovery; it must not stop the migration.
ALTER TABLE pump_safety_limits
    ADD CONSTRAINT max_run_s_is_longer_than_min_run_s CHECK (max_run_s > min_run_s) NOT VALID;

COMMENT ON COLUMN safety_limit_violations.limit_name IS
    'Which limit acted: a bit of Limited, by its word.';
COMMENT ON COLUMN safety_limit_violations.limit_value IS
    'The limit that acted, in the unit of its name: Hz (speed), Hz/s (rate), m (level, level guard), kW, m3/h, s or starts; NULL for "level lost" and "not a number", which have none.';
COMMENT ON COLUMN safety_limit_violations.extreme_value IS
    'How far it went. For speed (the demand in Hz), rate (what it held back, in Hz), level, power and flow: while it lasts, as it began; from its end on, the extreme of the whole time. For the others: what was found as it began (starts in the last hour, s at rest or running, m).';
