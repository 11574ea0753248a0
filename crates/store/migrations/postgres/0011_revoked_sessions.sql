-- Sessions that somebody ended are removed before their time would have been over.
CREATE INDEX sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
