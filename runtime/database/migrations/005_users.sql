-- People who sign in, and their sessions.

CREATE TABLE users (
    user_id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username            text NOT NULL
        CONSTRAINT username_is_1_to_64_characters_without_space CHECK (username ~ '^[^\s]{1,64}$'),
    role                text NOT NULL
        CONSTRAINT role_is_known
            CHECK (role IN ('viewer', 'operator', 'engineer', 'administrator')),
    password_hash       text NOT NULL,
    totp_secret         bytea,
    active              boolean NOT NULL DEFAULT true,
    failed_attempts     integer NOT NULL DEFAULT 0,
    locked_until        timestamptz,
    password_changed_at timestamptz NOT NULL DEFAULT now(),
    created_at          timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX username_is_unique_in_any_case ON users (lower(username));

CREATE TABLE sessions (
    session_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id      integer NOT NULL REFERENCES users,
    token_hash   bytea NOT NULL CONSTRAINT session_token_is_unique UNIQUE,
    address      text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX sessions_by_user ON sessions (user_id);
