/**
 * Evidence (FL-RES-04, 05, 07): what decided a direction in full, what operators declare, real conversations behind a dependency, and what
 * was seen twice and counted once.
 */
import { statements } from "./statements.ts"

export const evidence = statements`
ALTER TABLE dependencies
  ADD COLUMN fan_in_against integer NOT NULL DEFAULT 0,
  ADD COLUMN history smallint NOT NULL DEFAULT 0,
  ADD COLUMN companion boolean NOT NULL DEFAULT false,
  ADD COLUMN turned_port integer;
COMMENT ON COLUMN dependencies.turned_port IS 'Port it was drawn with before a declaration turned it round; null: none did';

-- ports that the configuration names were certain before, and are evidence now
UPDATE dependencies SET declared = false, port_rank = 3, direction_weight = tanh((
    6 * (syn_forward - syn_reverse)::float8 / (syn_forward + syn_reverse + 0.5)
    + 5 * (syn_ack_forward - syn_ack_reverse)::float8 / (syn_ack_forward + syn_ack_reverse + 1)
    + 2.5 * (began_forward - began_reverse)::float8 / (began_forward + began_reverse + 1)
    + 3 + CASE WHEN fan_in > 1 THEN 1.5 * (1 - 1.0::float8 / fan_in) ELSE 0 END + client_ports::float8 / (abs(client_ports) + 2)) / 2)
  WHERE declared;

CREATE TABLE declared_ends (
  address inet NOT NULL,
  protocol smallint NOT NULL CHECK (protocol BETWEEN 0 AND 255),
  port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  declared_by text NOT NULL,
  declared_at timestamptz NOT NULL DEFAULT now(),
  note text,
  PRIMARY KEY (address, protocol, port)
);
COMMENT ON TABLE declared_ends IS 'Ends that an operator declared to serve; they outrank all evidence';

CREATE TABLE evidence_flows (
  dependency_id bigint NOT NULL,
  slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 15),
  a_port integer NOT NULL,
  b_port integer NOT NULL,
  ports integer NOT NULL,
  sampling integer NOT NULL,
  records_ab bigint NOT NULL,
  records_ba bigint NOT NULL,
  flags_ab smallint NOT NULL,
  flags_ba smallint NOT NULL,
  bytes_ab bigint NOT NULL,
  bytes_ba bigint NOT NULL,
  packets_ab bigint NOT NULL,
  packets_ba bigint NOT NULL,
  first timestamptz NOT NULL,
  last timestamptz NOT NULL,
  a inet NOT NULL,
  b inet NOT NULL,
  exporter inet NOT NULL,
  PRIMARY KEY (dependency_id, slot)
) WITH (fillfactor = 85);
COMMENT ON TABLE evidence_flows IS 'At most 16 conversations of a dependency: the first (slot 0), the latest (1), and a fair sample of the hours between; the order of the ends says nothing';
COMMENT ON COLUMN evidence_flows.ports IS 'Ports that end a used in this conversation, a_port the first of them; 1: exactly one connection''s';

ALTER TABLE dependency_exporter
  ADD COLUMN spared_records bigint NOT NULL DEFAULT 0,
  ADD COLUMN spared_bytes bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN dependency_exporter.spared_bytes IS 'Of bytes, what was not counted again because another exporter owned the conversation';

CREATE TABLE exporter_savings (
  exporter inet NOT NULL,
  hour timestamptz NOT NULL,
  records bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (exporter, hour)
);
COMMENT ON TABLE exporter_savings IS 'What an exporter saw that was counted for another one, or that it said twice';

CREATE FUNCTION forget_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM evidence_flows WHERE dependency_id IN (SELECT id FROM gone);
  RETURN NULL;
END $$;
CREATE TRIGGER dependencies_forget_evidence AFTER DELETE ON dependencies REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION forget_evidence();
`
