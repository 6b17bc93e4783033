-- The audit log becomes a chain. Each entry holds the hash of the one before it, and its own hash is
-- the SHA-256 of the entry as COPY ... (FORMAT binary) gives it, without the last column: a number of
-- columns, then each field with its length before it. Whoever changes, removes, inserts or reorders
-- entries breaks the chain there, and `calejo audit verify` names the place.
--
-- audit_id counts from 1 without a gap. Entries are written by functions only, one writer at a time:
-- whoever appends holds the row of audit_head.
--
-- Entries lie in segments, a partition each; a new one begins when the month (UTC) changes. Segments
-- and not times are what they are divided by, since a clock that leaps would tear a chain that is
-- divided by time. Retention drops whole segments, the oldest first, and leaves an entry that says up
-- to which entry, and with what hash.

LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE;
ALTER TABLE audit_log RENAME TO audit_log_unchained;

CREATE TABLE audit_log (
    audit_id       bigint NOT NULL,
    segment        integer NOT NULL,
    previous       bytea NOT NULL CONSTRAINT previous_is_a_sha256 CHECK (octet_length(previous) = 32),
    source         text NOT NULL,
    sequence       bigint NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    actor          text NOT NULL,
    role           text,
    protocol       text,
    address        text,
    action         text NOT NULL,
    object         text,
    result         text NOT NULL,
    reason         text,
    correlation_id text,
    details        text NOT NULL CONSTRAINT details_are_json CHECK (details::jsonb IS NOT NULL),
    hash           bytea NOT NULL CONSTRAINT hash_is_a_sha256 CHECK (octet_length(hash) = 32)
) PARTITION BY LIST (segment);
COMMENT ON TABLE audit_log IS
    'Who asked for what, why, from where, and what became of it: a chain of hashes that calejo audit verify checks.';
COMMENT ON COLUMN audit_log.previous IS 'Hash of the entry before; 32 times 0 in the first.';
COMMENT ON COLUMN audit_log.occurred_at IS 'When it happened, by the clock of the runtime.';
COMMENT ON COLUMN audit_log.recorded_at IS 'When it was appended, by the clock of the database.';
COMMENT ON COLUMN audit_log.details IS
    'A JSON object, as text: jsonb would not keep its bytes, which are hashed.';

CREATE TABLE audit_head (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    audit_id      bigint NOT NULL DEFAULT 0,
    hash          bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    segment       integer NOT NULL DEFAULT 0,
    first_segment integer NOT NULL DEFAULT 1,
    month         date NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE audit_head IS 'The newest entry of the audit log, and its segments; whoever appends locks it.';
INSERT INTO audit_head DEFAULT VALUES;

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
-- ALWAYS: also where a session switches ordinary triggers off.
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW
    EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER refuse_truncation BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION refuse_audit_change();
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER refuse_truncation;

-- Attached rather than created in place: attaching blocks no reader.
CREATE FUNCTION audit_open_segment(number integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    partition CONSTANT text := 'audit_log_' || number;
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_log INCLUDING CONSTRAINTS)', partition);
    EXECUTE format('ALTER TABLE public.audit_log ATTACH PARTITION public.%I FOR VALUES IN (%s)', partition, number);
    EXECUTE format(
        'CREATE TRIGGER refuse_truncation BEFORE TRUNCATE ON public.%I EXECUTE FUNCTION public.refuse_audit_change()',
        partition
    );
    EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER refuse_change', partition);
    EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER refuse_truncation', partition);
END
$$;

CREATE FUNCTION audit_field(content bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(int4send(octet_length(content)) || content, int4send(-1))
$$;
CREATE FUNCTION audit_text(content text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT public.audit_field(convert_to(content, 'UTF8'))
$$;

CREATE FUNCTION audit_hash(entry audit_log) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN sha256(
        int2send(18::smallint)
        || audit_field(int8send(entry.audit_id))
        || audit_field(int4send(entry.segment))
        || audit_field(entry.previous)
        || audit_text(entry.source)
        || audit_field(int8send(entry.sequence))
        || audit_field(timestamptz_send(entry.occurred_at))
        || audit_field(timestamptz_send(entry.recorded_at))
        || audit_text(entry.actor)
        || audit_text(entry.role)
        || audit_text(entry.protocol)
        || audit_text(entry.address)
        || audit_text(entry.action)
        || audit_text(entry.object)
        || audit_text(entry.result)
        || audit_text(entry.reason)
        || audit_text(entry.correlation_id)
        || audit_text(entry.details)
    );
END
$$;
COMMENT ON FUNCTION audit_hash IS 'The hash of an entry: of its fields in binary COPY format, up to the hash itself.';

-- Entries that existed before the chain are its beginning, in their order.
DO $$
DECLARE
    head audit_head;
    old audit_log_unchained;
    entry audit_log;
BEGIN
    SELECT * INTO STRICT head FROM audit_head;
    FOR old IN SELECT * FROM audit_log_unchained ORDER BY audit_id LOOP
        IF head.segment = 0 THEN
            head.segment := 1;
            head.month := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
            PERFORM audit_open_segment(1);
        END IF;
        head.audit_id := head.audit_id + 1;
        entry := ROW(
            head.audit_id, head.segment, head.hash, old.source, old.sequence, old.occurred_at, old.recorded_at,
            old.actor, old.role, old.protocol, old.address, old.action, old.object, old.result, old.reason,
            old.correlation_id, old.details::text, NULL
        );
        head.hash := audit_hash(entry);
        entry.hash := head.hash;
        INSERT INTO audit_log VALUES (entry.*);
    END LOOP;
    UPDATE audit_head SET audit_id = head.audit_id, hash = head.hash, segment = head.segment, month = head.month;
END
$$;
DROP TABLE audit_log_unchained;
DROP FUNCTION refuse_change();

ALTER TABLE audit_log ADD CONSTRAINT audit_log_pkey PRIMARY KEY (audit_id, segment);
CREATE INDEX audit_log_by_origin ON audit_log (source, sequence);
CREATE INDEX audit_log_by_time ON audit_log (occurred_at);
CREATE INDEX audit_log_by_correlation ON audit_log (correlation_id);

CREATE FUNCTION audit_chain(
    origin text, sequences bigint[], times timestamptz[], actors text[], roles text[], protocols text[],
    addresses text[], actions text[], objects text[], results text[], reasons text[], correlations text[], details text[]
) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    month CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    head audit_head;
    given record;
    entry audit_log;
    stored bigint[];
    appended bigint := 0;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    -- Planned at each call: a plan from when the table was empty would read all of it.
    EXECUTE 'SELECT coalesce(array_agg(sequence), ''{}'') FROM audit_log WHERE source = $1 AND sequence = ANY($2)'
        INTO stored USING origin, sequences;
    FOR given IN
        SELECT DISTINCT ON (item.sequence) item.*
        FROM unnest(sequences, times, actors, roles, protocols, addresses, actions, objects, results, reasons,
                    correlations, details) WITH ORDINALITY
            AS item (sequence, at, actor, role, protocol, address, action, object, result, reason, correlation,
                     details, place)
        WHERE item.sequence IS NULL OR item.sequence <> ALL (stored)
        ORDER BY item.sequence, item.place
    LOOP
        IF head.segment = 0 OR head.month <> month THEN
            head.segment := head.segment + 1;
            head.month := month;
            PERFORM audit_open_segment(head.segment);
        END IF;
        head.audit_id := head.audit_id + 1;
        entry := ROW(
            head.audit_id, head.segment, head.hash, origin, given.sequence, given.at, clock_timestamp(), given.actor,
            given.role, given.protocol, given.address, given.action, given.object, given.result, given.reason,
            given.correlation, given.details, NULL
        );
        head.hash := audit_hash(entry);
        entry.hash := head.hash;
        INSERT INTO audit_log VALUES (entry.*);
        appended := appended + 1;
    END LOOP;
    IF appended > 0 THEN
        UPDATE audit_head
        SET audit_id = head.audit_id, hash = head.hash, segment = head.segment, month = head.month;
    END IF;
    RETURN appended;
END
$$;

CREATE FUNCTION audit_append(
    origin text, sequences bigint[], times timestamptz[], actors text[], roles text[], protocols text[],
    addresses text[], actions text[], objects text[], results text[], reasons text[], correlations text[], details text[]
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF origin = 'audit' THEN
        RAISE EXCEPTION 'found origin "audit", allowed any other: that one is the audit log''s own'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN audit_chain(origin, sequences, times, actors, roles, protocols, addresses, actions, objects, results,
                       reasons, correlations, details);
END
$$;
COMMENT ON FUNCTION audit_append IS
    'Appends a batch to the audit log, in the order of its sequence numbers, and says how many entries were new: those of an (origin, sequence) that is there already are left out.';

-- Retention takes two steps, so that its result can be signed before anything is gone.

CREATE FUNCTION audit_expired(keep interval, OUT through bigint, OUT hash bytea, OUT recorded_at timestamptz)
RETURNS record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    head audit_head;
    newest record;
BEGIN
    SELECT * INTO STRICT head FROM audit_head;
    FOR number IN head.first_segment .. head.segment - 1 LOOP
        SELECT entry.audit_id, entry.hash, entry.recorded_at INTO newest
            FROM audit_log AS entry WHERE segment = number ORDER BY audit_id DESC LIMIT 1;
        EXIT WHEN newest.recorded_at IS NULL OR newest.recorded_at >= now() - keep;
        through := newest.audit_id;
        hash := newest.hash;
        recorded_at := newest.recorded_at;
    END LOOP;
END
$$;
COMMENT ON FUNCTION audit_expired IS
    'The last entry of the oldest segments that hold nothing younger than this; all NULL if there are none.';

CREATE FUNCTION audit_drop(through_id bigint, keep interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    head audit_head;
    expired record;
    newest bigint;
    first_id bigint;
BEGIN
    IF keep < interval '30 days' THEN
        RAISE EXCEPTION 'found % to keep audit entries, allowed 30 days and more', keep
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    SELECT * INTO expired FROM audit_expired(keep);
    IF expired.through IS DISTINCT FROM through_id THEN
        RAISE EXCEPTION 'found entries up to %, allowed those up to %, which are older than %',
            through_id, coalesce(expired.through::text, 'none'), keep USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT min(audit_id) INTO first_id FROM audit_log WHERE segment = head.first_segment;
    LOOP
        SELECT max(audit_id) INTO newest FROM audit_log WHERE segment = head.first_segment;
        EXIT WHEN newest > through_id;
        EXECUTE format('DROP TABLE public.%I', 'audit_log_' || head.first_segment);
        head.first_segment := head.first_segment + 1;
    END LOOP;
    UPDATE audit_head SET first_segment = head.first_segment;
    PERFORM audit_chain(
        'audit', ARRAY[head.audit_id + 1], ARRAY[clock_timestamp()], ARRAY[session_user::text], ARRAY[NULL], ARRAY[NULL],
        ARRAY[NULL], ARRAY['drop audit entries'], ARRAY['audit_log'], ARRAY['executed'],
        ARRAY['older than ' || keep], ARRAY[NULL],
        ARRAY[json_build_object('through', through_id, 'hash', encode(expired.hash, 'hex'))::text]
    );
    RETURN through_id - first_id + 1;
END
$$;
COMMENT ON FUNCTION audit_drop IS
    'Drops the entries up to this one, which has to be the one that audit_expired names, and leaves an entry that says so. Says how many were dropped.';

REVOKE EXECUTE ON FUNCTION
    audit_open_segment, audit_field, audit_text, audit_hash, audit_chain, audit_append, audit_expired, audit_drop
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append, audit_expired, audit_drop TO calejo_runtime;
GRANT SELECT ON audit_log, audit_head TO calejo_runtime, control_reader;
