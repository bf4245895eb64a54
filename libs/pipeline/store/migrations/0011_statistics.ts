/**
 * What the server's own upkeep looks at. Every fold changes every live row of these two tables, in place, and nothing that a plan depends
 * on; analysed after each, `dependencies` took a third of a second of processor time. A resolver that made many rows analyses by itself.
 * Sums and evidence, which no statement selects by, have no statistics.
 */
import { statements } from "./statements.ts"

export const statistics = statements`
ALTER TABLE dependencies SET (autovacuum_analyze_scale_factor = 20, autovacuum_vacuum_scale_factor = 0.5);
ALTER TABLE assets SET (autovacuum_analyze_scale_factor = 20, autovacuum_vacuum_scale_factor = 0.5);
ALTER TABLE dependencies
  ALTER COLUMN created_at SET STATISTICS 0, ALTER COLUMN updated_at SET STATISTICS 0, ALTER COLUMN sampling SET STATISTICS 0,
  ALTER COLUMN fan_in SET STATISTICS 0, ALTER COLUMN fan_in_against SET STATISTICS 0, ALTER COLUMN port_rank SET STATISTICS 0,
  ALTER COLUMN history SET STATISTICS 0, ALTER COLUMN companion SET STATISTICS 0, ALTER COLUMN turned_port SET STATISTICS 0,
  ALTER COLUMN turns SET STATISTICS 0, ALTER COLUMN windows SET STATISTICS 0, ALTER COLUMN both_directions SET STATISTICS 0,
  ALTER COLUMN client_ports SET STATISTICS 0, ALTER COLUMN syn_forward SET STATISTICS 0, ALTER COLUMN syn_reverse SET STATISTICS 0,
  ALTER COLUMN syn_ack_forward SET STATISTICS 0, ALTER COLUMN syn_ack_reverse SET STATISTICS 0,
  ALTER COLUMN began_forward SET STATISTICS 0, ALTER COLUMN began_reverse SET STATISTICS 0,
  ALTER COLUMN bytes_to_server SET STATISTICS 0, ALTER COLUMN bytes_to_client SET STATISTICS 0,
  ALTER COLUMN total_packets SET STATISTICS 0, ALTER COLUMN total_flows SET STATISTICS 0,
  ALTER COLUMN raw_bytes SET STATISTICS 0, ALTER COLUMN raw_packets SET STATISTICS 0,
  ALTER COLUMN source_address SET STATISTICS 0, ALTER COLUMN target_address SET STATISTICS 0;
`
