-- Groups that the logins of a deployment are members of. The embedded engine has made them already.
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['trustkern_writer', 'trustkern_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    END IF;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA public TO trustkern_writer, trustkern_reader;
