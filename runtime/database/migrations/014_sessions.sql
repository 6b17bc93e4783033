-- Sessions of people who have signed in over HTTP. The accounts themselves lie in a file of the
-- state directory, so that signing in over OPC UA needs no database and who can write here gains no
-- rights: the tables of 005, which nothing ever used, make way. Of a token only its SHA-256 is kept.

DROP TABLE sessions, users;

CREATE TABLE sessions (
    session_id   uuid PRIMARY KEY,
    username     text NOT NULL
        CONSTRAINT username_is_1_to_64_characters_without_space CHECK (username ~ '^[^\s]{1,64}$'),
    address      text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revoked_why  text,
    CONSTRAINT session_begins_before_it_ends CHECK (created_at < expires_at),
    CONSTRAINT session_is_revoked_for_a_reason CHECK ((revoked_at IS NULL) = (revoked_why IS NULL))
);
CREATE INDEX sessions_by_username ON sessions (username, created_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);
COMMENT ON TABLE sessions IS 'Who has signed in over HTTP, from where, until when.';
COMMENT ON COLUMN sessions.last_seen_at IS 'When its user last did something; looking is not doing.';

CREATE TABLE session_tokens (
    token_hash    bytea PRIMARY KEY
        CONSTRAINT token_hash_is_a_sha256 CHECK (octet_length(token_hash) = 32),
    session_id    uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    issued_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    superseded_at timestamptz
);
CREATE INDEX session_tokens_by_session ON session_tokens (session_id);
COMMENT ON TABLE session_tokens IS 'All tokens that a session has had: one that comes back after its successor was used is stolen, or its successor is.';

GRANT SELECT, INSERT, DELETE ON sessions TO calejo_runtime;
GRANT UPDATE (last_seen_at, revoked_at, revoked_why) ON sessions TO calejo_runtime;
GRANT SELECT, INSERT ON session_tokens TO calejo_runtime;
GRANT UPDATE (superseded_at) ON session_tokens TO calejo_runtime;
GRANT SELECT ON sessions TO control_reader;
GRANT SELECT (session_id, issued_at, superseded_at) ON session_tokens TO control_reader;
