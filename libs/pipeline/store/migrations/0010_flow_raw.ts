/** Single flow records, for sites that ask for them (FL-DB-11). A partition a day, dropped whole. */
import { statements } from "./statements.ts"

export const flowRaw = statements`
CREATE TABLE flow_raw (
  received timestamptz NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  started timestamptz NOT NULL,
  ended timestamptz NOT NULL,
  octets bigint NOT NULL,
  packets bigint NOT NULL,
  reverse_octets bigint NOT NULL,
  reverse_packets bigint NOT NULL,
  sampling bigint NOT NULL,
  input_interface bigint NOT NULL,
  output_interface bigint NOT NULL,
  source_port integer NOT NULL,
  destination_port integer NOT NULL,
  protocol smallint NOT NULL,
  tcp_flags smallint NOT NULL,
  processed boolean NOT NULL DEFAULT false,
  exporter inet NOT NULL,
  source inet,
  destination inet
) PARTITION BY RANGE (received);
CREATE INDEX flow_raw_received ON flow_raw (received, id);
CREATE INDEX flow_raw_source ON flow_raw (source, received);
CREATE INDEX flow_raw_destination ON flow_raw (destination, received);
CREATE INDEX flow_raw_unprocessed ON flow_raw (received, id) WHERE NOT processed;
COMMENT ON COLUMN flow_raw.processed IS 'For programs that read records once; dependencies come from windows, not from here';
`
