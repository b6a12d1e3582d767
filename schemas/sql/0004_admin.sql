-- What people did to users and edges, through the api.

-- Signed out, and may not log in again.
ALTER TABLE devices ADD COLUMN banned boolean NOT NULL DEFAULT false;

-- act: as in schemas/bus.fbs. user_id, device_id, edge: whom it concerned, empty where it does not.
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  time_ms bigint NOT NULL,
  act smallint NOT NULL,
  who text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  edge text COLLATE "C" NOT NULL
);
CREATE INDEX audit_time ON audit (time_ms);
