/** What people decide about exporters, and since when one is silent. */
import { statements } from "./statements.ts"

export const exporterPolicies = statements`
CREATE TABLE exporter_policies (
  exporter_id bigint PRIMARY KEY REFERENCES exporters ON DELETE CASCADE,
  approval text NOT NULL DEFAULT 'new' CHECK (approval IN ('new', 'approved', 'blocked')),
  decided_by text,
  decided_at timestamptz,
  sampling_rate bigint CHECK (sampling_rate BETWEEN 1 AND 4294967295),
  sampling_mode text CHECK (sampling_mode IN ('replaces', 'only-unsaid')),
  silence_seconds integer CHECK (silence_seconds >= 10),
  silent_alarm boolean NOT NULL DEFAULT true,
  CHECK ((sampling_rate IS NULL) = (sampling_mode IS NULL))
);

ALTER TABLE exporters ADD COLUMN octets bigint NOT NULL DEFAULT 0;
ALTER TABLE exporters ADD COLUMN silent_since timestamptz;
COMMENT ON COLUMN exporters.silent_since IS 'Its last datagram, once it fell silent: one silence is one alarm, over restarts too';
ALTER TABLE exporters DROP CONSTRAINT exporters_state_check;
ALTER TABLE exporters ADD CONSTRAINT exporters_state_check CHECK (state IN ('heard', 'waiting', 'silent', 'expected'));
`
