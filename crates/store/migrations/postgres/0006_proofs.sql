CREATE TABLE used_ids (
    id_hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_ids_expires_at ON used_ids (expires_at);

ALTER TABLE authorization_codes ADD COLUMN dpop_key BYTEA;

CREATE TABLE pushed_requests (
    name_hash BYTEA NOT NULL PRIMARY KEY,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    parameters TEXT COLLATE "C" NOT NULL,
    is_signed BIGINT NOT NULL,
    dpop_key BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX pushed_requests_client_id ON pushed_requests (client_id);
CREATE INDEX pushed_requests_expires_at ON pushed_requests (expires_at);
