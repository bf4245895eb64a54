/**
 * How well we were looking. A row an exporter and window in which something was heard or a silence began: a window without a row is
 * blind, so a silent exporter costs nothing. `coverage_span` is the same run together, kept longer than the windows: time in which an
 * exporter was heard well enough that what was not seen did not happen.
 */
import { statements } from "./statements.ts"

export const coverage = statements`
CREATE TABLE coverage (
  time timestamptz NOT NULL,
  exporter_id bigint NOT NULL,
  datagrams bigint NOT NULL,
  records bigint NOT NULL,
  sequence_lost bigint NOT NULL,
  malformed bigint NOT NULL,
  held_dropped bigint NOT NULL,
  refused bigint NOT NULL,
  heard_seconds double precision NOT NULL,
  seconds double precision NOT NULL,
  kernel_share double precision NOT NULL,
  discarded_share double precision NOT NULL,
  quality double precision NOT NULL CHECK (quality BETWEEN 0 AND 1),
  held_sets integer NOT NULL,
  pressure integer NOT NULL,
  sampling bigint NOT NULL,
  skew_ms double precision,
  state text NOT NULL CHECK (state IN ('good', 'sampled', 'partial', 'blind')),
  PRIMARY KEY (exporter_id, time)
) PARTITION BY RANGE (time);
COMMENT ON COLUMN coverage.time IS 'Start of the window, by our clock';
COMMENT ON COLUMN coverage.quality IS 'A function of the other columns, domain/coverage.ts';

CREATE TABLE coverage_span (
  exporter_id bigint NOT NULL REFERENCES exporters ON DELETE CASCADE,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  open boolean NOT NULL,
  PRIMARY KEY (exporter_id, since),
  CHECK (until >= since)
);
COMMENT ON COLUMN coverage_span.open IS 'It goes on: until is when that was last written';

CREATE TABLE coverage_subnet (
  subnet cidr NOT NULL,
  exporter inet NOT NULL,
  first_seen timestamptz NOT NULL,
  last_seen timestamptz NOT NULL,
  records bigint NOT NULL,
  windows bigint NOT NULL,
  PRIMARY KEY (subnet, exporter)
) WITH (fillfactor = 70);
COMMENT ON TABLE coverage_subnet IS 'Which exporter saw traffic of which /24 or /64 of ours';

ALTER TABLE dependencies ADD COLUMN stale_at timestamptz;
COMMENT ON COLUMN dependencies.stale_at IS 'When it became stale last: the end of the looking time it was not seen in, whenever that was noticed';
`
