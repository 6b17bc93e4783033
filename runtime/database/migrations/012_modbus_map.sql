-- Which register of a block means what, beside the units and bases of 001: recorded once by
-- `calejo migrate` for every tag that a version of the program brings, and kept. A program that
-- would read or write something else there is refused, as is one of another schema.

CREATE TABLE modbus_registers (
    table_name text NOT NULL CONSTRAINT registers_are_of_a_known_table
        CHECK (table_name IN ('System', 'Station', 'Pump')),
    space      text NOT NULL CONSTRAINT space_of_the_register_is_known
        CHECK (space IN ('coil', 'discrete input', 'input register', 'holding register')),
    address    integer NOT NULL CONSTRAINT register_lies_in_its_block
        CHECK (address BETWEEN 0 AND 99),
    tag        text NOT NULL,
    type       text NOT NULL,
    word       integer NOT NULL CONSTRAINT word_is_not_negative CHECK (word >= 0),
    scale      double precision,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, space, address),
    CONSTRAINT a_value_shows_once_in_each_type UNIQUE (table_name, tag, type, word)
);
COMMENT ON TABLE modbus_registers IS 'What SCADA systems may read in a block of the Modbus map; `calejo tags` prints the map.';
COMMENT ON COLUMN modbus_registers.address IS 'Counted from the base of the system (0), station or pump.';
COMMENT ON COLUMN modbus_registers.word IS 'Which of the registers of the value this is, from 0, the high one.';
COMMENT ON COLUMN modbus_registers.scale IS 'Value of one count of a scaled integer; NULL of everything else.';

CREATE FUNCTION keep_register() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'registers are never changed or given up, SCADA relies on them'
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'Give a new tag a new register.';
END
$$;
CREATE TRIGGER keep_register BEFORE UPDATE OR DELETE OR TRUNCATE ON modbus_registers
    EXECUTE FUNCTION keep_register();

CREATE VIEW modbus_map AS
    SELECT owner.station_id, owner.pump_id, owner.active, registers.tag, owner.unit_id, registers.space,
           owner.base + registers.address AS address, registers.type, registers.scale
    FROM modbus_registers AS registers JOIN (
        SELECT 'System' AS table_name, NULL AS station_id, NULL::integer AS pump_id, true AS active,
               255 AS unit_id, 0 AS base
        UNION ALL
        SELECT 'Station', station_id, NULL, active, modbus_unit, modbus_base FROM pump_stations
        UNION ALL
        SELECT 'Pump', pumps.station_id, pump_id, pumps.active AND pump_stations.active,
               pumps.modbus_unit, pumps.modbus_base
        FROM pumps JOIN pump_stations USING (station_id)
    ) AS owner USING (table_name)
    WHERE registers.word = 0;
COMMENT ON VIEW modbus_map IS 'Where every value of the system, each station and each pump is read; retired ones too, which keep their addresses.';

GRANT SELECT ON modbus_registers, modbus_map TO calejo_runtime, control_reader;
