-- Accounts, conversations, messages and how far each shard's log is applied.
-- Ids are ASCII and compared bytewise everywhere, hence COLLATE "C".

-- The one row says what the whole cluster must agree on.
CREATE TABLE cluster (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  shards integer NOT NULL
);

CREATE TABLE accounts (
  user_id text COLLATE "C" PRIMARY KEY,
  password_hash text NOT NULL,
  created_ms bigint NOT NULL
);
-- Names are unique without regard to case.
CREATE UNIQUE INDEX accounts_lower_key ON accounts (lower(user_id));

-- login counts the LOGINs of the device: tokens of an earlier one are void.
CREATE TABLE devices (
  user_id text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  login bigint NOT NULL,
  revoked boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, device_id)
);

-- used_ms: when it was exchanged for its successor; used again, it revokes the device.
CREATE TABLE refresh_tokens (
  hash bytea PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  login bigint NOT NULL,
  issued_ms bigint NOT NULL,
  expires_ms bigint NOT NULL,
  used_ms bigint
);
CREATE INDEX refresh_tokens_device ON refresh_tokens (user_id, device_id);

-- watermark: the log position up to which everything is in these tables. It is persist's only
-- cursor, and its row lock the fence between two persists. Log position = base + stream sequence.
-- generation grows whenever the log turned out to have lost its tail.
CREATE TABLE shards (
  shard integer PRIMARY KEY,
  watermark bigint NOT NULL DEFAULT 0,
  base bigint NOT NULL DEFAULT 0,
  generation bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50);

-- last_position: log position of the last message. sent_first, sent_second: one-to-one only, the
-- last seq sent by the first and by the second user of the name.
CREATE TABLE conversations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  shard integer NOT NULL,
  last_seq bigint NOT NULL DEFAULT 0,
  last_position bigint NOT NULL DEFAULT 0,
  sent_first bigint NOT NULL DEFAULT 0,
  sent_second bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);

-- read_position and read_shard: where the log says so (the shard of the reader's conversation with
-- themself). A membership of a group will get its span of seqs here.
CREATE TABLE members (
  user_id text COLLATE "C" NOT NULL,
  conversation_id bigint NOT NULL,
  read_seq bigint NOT NULL DEFAULT 0,
  read_position bigint NOT NULL DEFAULT 0,
  read_shard integer NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, conversation_id)
) WITH (fillfactor = 80);

-- content is null when PostgreSQL refused the entry (dead_entries has it): the seq stays taken.
CREATE TABLE messages (
  conversation_id bigint NOT NULL,
  seq bigint NOT NULL,
  message_id bigint NOT NULL,
  time_ms bigint NOT NULL,
  position bigint NOT NULL,
  content_hash bigint NOT NULL,
  client_msg_id uuid NOT NULL,
  generation bigint NOT NULL,
  sender text COLLATE "C" NOT NULL,
  content bytea,
  PRIMARY KEY (conversation_id, seq)
);
-- The last guard against a message stored twice; to hit it is a bug that stops the shard.
CREATE UNIQUE INDEX messages_once ON messages (conversation_id, client_msg_id, sender);

-- Entries of the log that PostgreSQL refused for their content: a batch with only that entry.
CREATE TABLE dead_entries (
  shard integer NOT NULL,
  position bigint NOT NULL,
  entry_index integer NOT NULL,
  sqlstate text NOT NULL,
  reason text NOT NULL,
  entry bytea NOT NULL,
  noticed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shard, position, entry_index)
);
