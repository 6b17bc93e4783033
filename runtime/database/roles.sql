-- The roles, and what everybody may do in this database. Run by a superuser, once, in the database
-- that Calejo uses:
--     psql -d calejo -f roles.sql
-- then give calejo_owner and calejo_runtime a password (ALTER ROLE ... PASSWORD). Running it again
-- changes nothing.
--
--     calejo_owner      owns every table; migrations run as this role, nothing else does
--     calejo_runtime    what the runtime itself connects as; owns nothing
--     control_reader    reads everything but secrets, writes nothing
--     equipment_writer  group: enters stations, pumps and limits
--     plan_writer       group: writes plans and heartbeats (the optimiser)
--     feedback_writer   group: writes feedback (the plant's collector)

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['calejo_owner', 'calejo_runtime', 'control_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
    END LOOP;
    FOREACH role_name IN ARRAY ARRAY['equipment_writer', 'plan_writer', 'feedback_writer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
    END LOOP;
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

-- Defaults that a session may change; what it may not change are the grants.
ALTER ROLE control_reader SET default_transaction_read_only = on;
ALTER ROLE control_reader SET statement_timeout = '30s';
ALTER ROLE control_reader CONNECTION LIMIT 20;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO calejo_owner;

-- Large objects can be written by anybody who may connect. Only a superuser can change that; where
-- the provider keeps that right to himself, they count as outside of Calejo's data.
DO $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea)
            FROM PUBLIC;
    END IF;
END
$$;
