CREATE TABLE device_requests (
    code_hash BLOB NOT NULL PRIMARY KEY,
    user_code_hash BLOB NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    decision TEXT NOT NULL,
    session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    interval_seconds BIGINT NOT NULL,
    polled_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX device_requests_user_code_hash ON device_requests (user_code_hash);
CREATE INDEX device_requests_client_id ON device_requests (client_id);
CREATE INDEX device_requests_session_id ON device_requests (session_id);
CREATE INDEX device_requests_expires_at ON device_requests (expires_at);
