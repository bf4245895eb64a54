/**
 * Traffic for longer than windows are kept: an hour and a day in one row. A key and time may have several rows (a direction that was
 * turned leaves one each way until both are one), so readers sum.
 */
import { statements } from "./statements.ts"

export const retention = statements`
CREATE TABLE flow_stats_hour (
  time timestamptz NOT NULL,
  source_id bigint NOT NULL,
  target_id bigint NOT NULL,
  flows bigint NOT NULL,
  packets bigint NOT NULL,
  bytes_to_server bigint NOT NULL,
  bytes_to_client bigint NOT NULL,
  port integer NOT NULL,
  windows integer NOT NULL,
  protocol smallint NOT NULL,
  tcp_flags_to_server smallint NOT NULL,
  tcp_flags_to_client smallint NOT NULL
) PARTITION BY RANGE (time);
CREATE INDEX flow_stats_hour_source ON flow_stats_hour (source_id, time);
CREATE INDEX flow_stats_hour_target ON flow_stats_hour (target_id, time);
CREATE INDEX flow_stats_hour_time ON flow_stats_hour (time);
COMMENT ON COLUMN flow_stats_hour.windows IS 'Windows of the hour in which it was seen';

CREATE TABLE flow_stats_day (LIKE flow_stats_hour) PARTITION BY RANGE (time);
CREATE INDEX flow_stats_day_source ON flow_stats_day (source_id, time);
CREATE INDEX flow_stats_day_target ON flow_stats_day (target_id, time);
CREATE INDEX flow_stats_day_time ON flow_stats_day (time);

CREATE TABLE rollups (
  grain text NOT NULL CHECK (grain IN ('hour', 'day')),
  start timestamptz NOT NULL,
  of text NOT NULL,
  rows integer NOT NULL,
  flows numeric NOT NULL,
  bytes numeric NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (grain, start)
);
COMMENT ON COLUMN rollups.of IS 'What it was made of: windows, slices and last write. When that changes, a late slice came, and it is made again';
`
