CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_canonical TEXT NOT NULL,
    email_verified_at BIGINT,
    name TEXT,
    locale TEXT,
    is_admin INTEGER NOT NULL,
    disabled_at BIGINT,
    last_signed_in_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX users_email_canonical ON users (email_canonical);
CREATE INDEX users_admins ON users (created_at) WHERE is_admin = 1;

CREATE TABLE passwords (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc TEXT NOT NULL,
    policy TEXT NOT NULL,
    set_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE pending_signups (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_canonical TEXT NOT NULL,
    name TEXT,
    locale TEXT,
    phc TEXT NOT NULL,
    policy TEXT NOT NULL,
    handle_hash BLOB NOT NULL,
    link_hash BLOB,
    code_issued_at BIGINT,
    code_attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX pending_signups_handle_hash ON pending_signups (handle_hash);
CREATE UNIQUE INDEX pending_signups_link_hash ON pending_signups (link_hash);
CREATE INDEX pending_signups_email_canonical ON pending_signups (email_canonical);
CREATE INDEX pending_signups_expires_at ON pending_signups (expires_at);

CREATE TABLE one_time_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX one_time_tokens_token_hash ON one_time_tokens (token_hash);
CREATE INDEX one_time_tokens_user_id ON one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ordinal BIGINT NOT NULL,
    credential_hash BLOB,
    device_label TEXT NOT NULL,
    user_agent TEXT,
    address TEXT,
    amr TEXT NOT NULL,
    acr TEXT NOT NULL,
    remember INTEGER NOT NULL,
    authenticated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    idle_ms BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_credential_hash ON sessions (credential_hash);
CREATE UNIQUE INDEX sessions_user_id ON sessions (user_id, ordinal);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE token_families (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client_id TEXT,
    salt BLOB NOT NULL,
    issued BIGINT NOT NULL,
    presented BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    rotation TEXT NOT NULL,
    network BLOB,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT
) WITHOUT ROWID;
CREATE INDEX token_families_session_id ON token_families (session_id);
CREATE INDEX token_families_expires_at ON token_families (expires_at);

CREATE TABLE known_devices (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX known_devices_user_id ON known_devices (user_id, last_used_at);
CREATE INDEX known_devices_last_used_at ON known_devices (last_used_at);

CREATE TABLE attempts (
    key BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    failures BIGINT NOT NULL,
    reported BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    switched_off_at BIGINT,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX attempts_expires_at ON attempts (expires_at);

CREATE TABLE mail_budgets (
    key BLOB NOT NULL PRIMARY KEY,
    hour_ends_at BIGINT NOT NULL,
    hour_sent BIGINT NOT NULL,
    day_ends_at BIGINT NOT NULL,
    day_sent BIGINT NOT NULL,
    last_sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX mail_budgets_expires_at ON mail_budgets (expires_at);

CREATE TABLE events (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    outcome TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    request_id TEXT NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX events_subject ON events (subject, id);
CREATE INDEX events_action ON events (action, id);

CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL REFERENCES events (id),
    channel TEXT NOT NULL,
    payload BLOB NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    leased_by TEXT,
    leased_until BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
) WITHOUT ROWID;
CREATE INDEX deliveries_event_id ON deliveries (event_id);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_finished_at ON deliveries (finished_at);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    public_key BLOB NOT NULL,
    private_key_sealed BLOB NOT NULL,
    published_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    retired_at BIGINT,
    gone_at BIGINT
) WITHOUT ROWID;
CREATE INDEX signing_keys_state ON signing_keys (state);
CREATE UNIQUE INDEX signing_keys_one_published ON signing_keys (algorithm) WHERE state = 'published';
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (algorithm) WHERE state = 'active';

CREATE TABLE secret_keys (
    id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX secret_keys_purpose ON secret_keys (purpose);

CREATE TABLE revocations (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX revocations_at ON revocations (at);
