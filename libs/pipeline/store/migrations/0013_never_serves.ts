/**
 * An operator may say of an end, or of an address with all its ports, that it never serves. And peers of a port weigh by their logarithm:
 * margins that several peers had a part in are computed anew.
 */
import { statements } from "./statements.ts"

export const neverServes = statements`
ALTER TABLE declared_ends
  ADD COLUMN serves boolean NOT NULL DEFAULT true,
  DROP CONSTRAINT declared_ends_port_check,
  ADD CONSTRAINT declared_ends_port_check CHECK (port BETWEEN 0 AND 65535 AND (port > 0 OR NOT serves));
COMMENT ON TABLE declared_ends IS 'What operators said of ends; it outranks all evidence';
COMMENT ON COLUMN declared_ends.serves IS 'False: it never does; port 0: whatever the port';

UPDATE dependencies SET direction_weight = tanh((
    6 * (syn_forward - syn_reverse)::float8 / (syn_forward + syn_reverse + 0.5)
    + 5 * (syn_ack_forward - syn_ack_reverse)::float8 / (syn_ack_forward + syn_ack_reverse + 1)
    + 2.5 * (began_forward - began_reverse)::float8 / (began_forward + began_reverse + 1)
    + port_rank + 1.8 * (ln(LEAST(40, GREATEST(1, fan_in))::float8) - ln(LEAST(40, GREATEST(1, fan_in_against))::float8)) / ln(40::float8)
    + client_ports::float8 / (abs(client_ports) + 2) + 4 * history::float8 / (abs(history) + 2)
    + CASE WHEN companion THEN 8 ELSE 0 END) / 2)
  WHERE NOT declared AND (fan_in > 1 OR fan_in_against > 1);
UPDATE dependencies SET confidence = LEAST(CASE WHEN sampling > 1 AND NOT both_directions THEN 0.9::float8 ELSE 1 END,
    1 - (1 - (0.6 * (total_flows::float8 / (total_flows + 4)) + 0.4 * (windows::float8 / (windows + 1))))
      * CASE WHEN both_directions THEN 0.5::float8 ELSE 1 END * CASE WHEN exporters > 1 THEN 0.8::float8 ELSE 1 END)
    * (0.5 + 0.5 * direction_weight)
  WHERE NOT declared AND (fan_in > 1 OR fan_in_against > 1);
`
