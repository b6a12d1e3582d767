-- Logins with a token of another service, which says who somebody is. An account without a password
-- hash was made by one.

-- No token of the device's login is good for longer, however often it is refreshed.
ALTER TABLE devices ADD COLUMN login_until_ms bigint NOT NULL DEFAULT 9223372036854775807;
