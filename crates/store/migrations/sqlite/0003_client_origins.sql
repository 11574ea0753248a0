CREATE TABLE client_origins (
    origin TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    PRIMARY KEY (origin, client_id)
) WITHOUT ROWID;
CREATE INDEX client_origins_client_id ON client_origins (client_id);
