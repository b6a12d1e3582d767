-- Who may do what in PostgreSQL: run by the administrator, in the database of the cluster, as often as one likes.
-- Two variables of psql: owner_password and persist_password.
--
-- martlet_owner has the tables and changes them, which happens when a persist starts that brings a migration.
-- martlet_persist is who persist is the rest of the time: it reads and writes rows.
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE ' || name FROM unnest(ARRAY['martlet_owner', 'martlet_persist']) name
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE martlet_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT
  PASSWORD :'owner_password';
ALTER ROLE martlet_persist LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT
  PASSWORD :'persist_password';

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO martlet_owner, martlet_persist', current_database()) \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO martlet_owner;
GRANT USAGE ON SCHEMA public TO martlet_persist;

-- Of a cluster from before there were these roles.
SELECT format('ALTER TABLE public.%I OWNER TO martlet_owner', tablename) FROM pg_tables
  WHERE schemaname = 'public' AND tableowner <> 'martlet_owner' \gexec

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO martlet_persist;
ALTER DEFAULT PRIVILEGES FOR ROLE martlet_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO martlet_persist;
