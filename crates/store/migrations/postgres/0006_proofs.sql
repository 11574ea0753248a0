CREATE TABLE used_ids (
    id_hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_ids_expires_at ON used_ids (expires_at);

ALTER TABLE authorization_codes ADD COLUMN dpop_key BYTEA;
