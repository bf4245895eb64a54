/**
 * The two directions are added up by whoever asks, under the name that the column had: `d.total_bytes` is `total_bytes(d)`. As a stored
 * column it was a ninth of what an update of a dependency cost, and of what a row of traffic did: for a generated column the server copies
 * all the others.
 */
import { statements } from "./statements.ts"

export const sumsOnRead = statements`
ALTER TABLE dependencies DROP COLUMN total_bytes;
ALTER TABLE flow_stats DROP COLUMN total_bytes;
CREATE FUNCTION total_bytes(dependencies) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1.bytes_to_server + $1.bytes_to_client';
CREATE FUNCTION total_bytes(flow_stats) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1.bytes_to_server + $1.bytes_to_client';
`
