CREATE TABLE initial_access_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    token_hash BLOB NOT NULL,
    note TEXT,
    uses_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX initial_access_tokens_token_hash ON initial_access_tokens (token_hash);
CREATE INDEX initial_access_tokens_expires_at ON initial_access_tokens (expires_at);

CREATE TABLE client_registrations (
    client_id TEXT NOT NULL PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL
) WITHOUT ROWID;
