CREATE TABLE meta (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL,
    email_canonical TEXT COLLATE "C" NOT NULL,
    email_verified_at BIGINT,
    name TEXT COLLATE "C",
    locale TEXT COLLATE "C",
    is_admin BOOLEAN NOT NULL,
    disabled_at BIGINT,
    last_signed_in_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_email_canonical ON users (email_canonical);
CREATE INDEX users_admins ON users (created_at) WHERE is_admin;

CREATE TABLE passwords (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    set_at BIGINT NOT NULL
);

CREATE TABLE pending_signups (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL,
    email_canonical TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    locale TEXT COLLATE "C",
    phc TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    handle_hash BYTEA NOT NULL,
    link_hash BYTEA,
    code_issued_at BIGINT,
    code_attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX pending_signups_handle_hash ON pending_signups (handle_hash);
CREATE UNIQUE INDEX pending_signups_link_hash ON pending_signups (link_hash);
CREATE INDEX pending_signups_email_canonical ON pending_signups (email_canonical);
CREATE INDEX pending_signups_expires_at ON pending_signups (expires_at);

CREATE TABLE one_time_tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    purpose TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_time_tokens_token_hash ON one_time_tokens (token_hash);
CREATE INDEX one_time_tokens_user_id ON one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);

CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ordinal BIGINT NOT NULL,
    credential_hash BYTEA,
    device_label TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C",
    address TEXT COLLATE "C",
    amr TEXT COLLATE "C" NOT NULL,
    acr TEXT COLLATE "C" NOT NULL,
    remember BOOLEAN NOT NULL,
    authenticated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    idle_ms BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT COLLATE "C"
);
CREATE UNIQUE INDEX sessions_credential_hash ON sessions (credential_hash);
CREATE UNIQUE INDEX sessions_user_id ON sessions (user_id, ordinal);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE token_families (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client_id TEXT COLLATE "C",
    salt BYTEA NOT NULL,
    issued BIGINT NOT NULL,
    presented BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    rotation TEXT COLLATE "C" NOT NULL,
    network BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT COLLATE "C"
);
CREATE INDEX token_families_session_id ON token_families (session_id);
CREATE INDEX token_families_expires_at ON token_families (expires_at);

CREATE TABLE known_devices (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX known_devices_user_id ON known_devices (user_id, last_used_at);
CREATE INDEX known_devices_last_used_at ON known_devices (last_used_at);

CREATE TABLE attempts (
    key BYTEA NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    reported BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    switched_off_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX attempts_expires_at ON attempts (expires_at);

CREATE TABLE mail_budgets (
    key BYTEA NOT NULL PRIMARY KEY,
    hour_ends_at BIGINT NOT NULL,
    hour_sent BIGINT NOT NULL,
    day_ends_at BIGINT NOT NULL,
    day_sent BIGINT NOT NULL,
    last_sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mail_budgets_expires_at ON mail_budgets (expires_at);

CREATE TABLE events (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C",
    outcome TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    request_id TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL
);
CREATE INDEX events_subject ON events (subject, id);
CREATE INDEX events_action ON events (action, id);

CREATE TABLE deliveries (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event_id TEXT COLLATE "C" NOT NULL REFERENCES events (id),
    channel TEXT COLLATE "C" NOT NULL,
    payload BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    leased_by TEXT COLLATE "C",
    leased_until BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX deliveries_event_id ON deliveries (event_id);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_finished_at ON deliveries (finished_at);

CREATE TABLE leases (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    algorithm TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    public_key BYTEA NOT NULL,
    private_key_sealed BYTEA NOT NULL,
    published_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    retired_at BIGINT,
    gone_at BIGINT
);
CREATE INDEX signing_keys_state ON signing_keys (state);
CREATE UNIQUE INDEX signing_keys_one_published ON signing_keys (algorithm) WHERE state = 'published';
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (algorithm) WHERE state = 'active';

CREATE TABLE secret_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    purpose TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX secret_keys_purpose ON secret_keys (purpose);

CREATE TABLE revocations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX revocations_at ON revocations (at);
