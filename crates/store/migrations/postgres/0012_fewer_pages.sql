-- An index in an order of its own costs each sign-in to an application a page of the log. Nothing is looked up by a
-- code's session: a session's end is noticed when the code is used, and the row goes after its time.
ALTER TABLE authorization_codes DROP CONSTRAINT authorization_codes_session_id_fkey;
DROP INDEX authorization_codes_session_id;
DROP INDEX authorization_codes_client_id;
CREATE INDEX authorization_codes_client_id ON authorization_codes (client_id, expires_at);

-- A family ends with its session or its grant, and goes with its row.
DROP INDEX token_families_expires_at;

-- By days, so that those that end on one day lie in the order in which they were given.
DROP INDEX grants_expires_at;
CREATE INDEX grants_ends_on ON grants ((expires_at / 86400000));
