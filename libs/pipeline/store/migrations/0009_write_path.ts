/**
 * How a slice is written (docs/decisions/006): traffic of known dependencies goes to `window_journal` at once and into the tables a
 * minute later. Resolvers remember which edges are known; `resolver_news` tells them what they are to forget.
 */
import { statements } from "./statements.ts"

export const writePath = statements`
CREATE TABLE window_journal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  window_start timestamptz NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  exporters text[] NOT NULL,
  entry bytea NOT NULL
);
ALTER TABLE window_journal ALTER COLUMN entry SET STORAGE EXTERNAL;
COMMENT ON TABLE window_journal IS 'Traffic of known dependencies that is in windows and not yet in dependencies, flow_stats, assets and services';
COMMENT ON COLUMN window_journal.entry IS 'Columns of journal-entry.ts; packed already, so not compressed';

ALTER TABLE dependencies ADD COLUMN turns integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN dependencies.turns IS 'How often its direction was turned: what was noted of it before an odd number of turns is turned as it is added';

CREATE TABLE resolver_epoch (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch bigint NOT NULL
);
INSERT INTO resolver_epoch (epoch) VALUES (0);
CREATE TABLE resolver_news (
  epoch bigint NOT NULL,
  dependency_id bigint
);
CREATE INDEX resolver_news_epoch ON resolver_news (epoch);
COMMENT ON TABLE resolver_news IS 'Dependencies that resolvers are to look up anew; null: all of them. The last thousand epochs';

CREATE FUNCTION tell_resolvers(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE now_at bigint;
BEGIN
  -- the row's lock is held to the end of the transaction: epochs are committed in their order
  UPDATE resolver_epoch SET epoch = epoch + 1 RETURNING epoch INTO now_at;
  INSERT INTO resolver_news SELECT now_at, id FROM unnest(ids) AS id;
  DELETE FROM resolver_news WHERE epoch <= now_at - 1000;
END $$;

CREATE OR REPLACE FUNCTION forget_dependencies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM gone) THEN
    DELETE FROM dependency_exporter WHERE dependency_id IN (SELECT id FROM gone);
    PERFORM tell_resolvers(array_agg(id)) FROM gone;
  END IF;
  RETURN NULL;
END $$;

-- A foreign key looks up and locks the other row for every row that is made, a third of what a new dependency costs. Assets that go take
-- what is theirs along by statement instead, and not while a resolver makes more of it.
ALTER TABLE dependencies DROP CONSTRAINT dependencies_source_id_fkey, DROP CONSTRAINT dependencies_target_id_fkey;
ALTER TABLE asset_address DROP CONSTRAINT asset_address_asset_id_fkey;
ALTER TABLE services DROP CONSTRAINT services_asset_id_fkey;
CREATE FUNCTION before_assets_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('flowlens.inventory'));
  RETURN NULL;
END $$;
CREATE FUNCTION after_assets_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM gone) THEN
    DELETE FROM dependencies WHERE source_id IN (SELECT id FROM gone);
    DELETE FROM dependencies WHERE target_id IN (SELECT id FROM gone);
    DELETE FROM services WHERE asset_id IN (SELECT id FROM gone);
    DELETE FROM asset_address WHERE asset_id IN (SELECT id FROM gone);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER assets_before_go BEFORE DELETE ON assets FOR EACH STATEMENT EXECUTE FUNCTION before_assets_go();
CREATE TRIGGER assets_after_go AFTER DELETE ON assets REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION after_assets_go();

CREATE FUNCTION addresses_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tell_resolvers(ARRAY[NULL::bigint]);
  RETURN NULL;
END $$;
CREATE TRIGGER asset_address_moved AFTER UPDATE OR DELETE ON asset_address FOR EACH STATEMENT EXECUTE FUNCTION addresses_moved();
`
