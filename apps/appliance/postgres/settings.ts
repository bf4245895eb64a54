/** How the embedded server is set up: one table, given on its command line so that a new release can change it. */
import { totalmem } from "node:os"

/** `test` gives up crash safety for speed: never for data that anybody wants back. */
export type Durability = "safe" | "test"

const mebibytes = (bytes: number) => `${Math.floor(bytes / 1048576)}MB`

export const serverSettings = (durability: Durability, memoryBytes = totalmem()): Record<string, string> => {
  // The appliance is specified for 4 GB that it shares with Node: an eighth, at most 512 MB, which holds the hot indexes of 1 M dependencies.
  const shared = Math.min(512 * 1048576, Math.max(64 * 1048576, memoryBytes / 8))
  return {
    // Reached through the file system alone.
    listen_addresses: "",
    unix_socket_permissions: "0700",
    max_connections: "60",
    shared_buffers: mebibytes(shared),
    effective_cache_size: mebibytes(memoryBytes / 3),
    work_mem: "16MB",
    // Holds the temporary tables of a slice of 50,000 edges (15 MB); with less each of the statements that read them reads files.
    temp_buffers: "48MB",
    maintenance_work_mem: "128MB",
    // A container's /dev/shm is 64 MB by default, which parallel workers overrun; two cores gain nothing from them.
    max_parallel_workers_per_gather: "0",
    max_wal_size: "2GB",
    min_wal_size: "128MB",
    // A fold logs every page it is the first to change after a checkpoint. Packed they are half as many bytes, and cost as much as the fold.
    wal_compression: "off",
    checkpoint_timeout: "15min",
    random_page_cost: "1.1",
    jit: "off",
    // Every window touches every live row: vacuum by a small share of big tables.
    autovacuum_vacuum_scale_factor: "0.05",
    autovacuum_analyze_scale_factor: "0.05",
    // for each of three databases: idle, looking more often costs more than all the rest
    autovacuum_naptime: "1min",
    timezone: "UTC",
    log_timezone: "UTC",
    log_line_prefix: "%m [%p] %q%a ",
    log_min_duration_statement: "5s",
    log_checkpoints: "off",
    ...(durability === "safe"
      ? { fsync: "on", synchronous_commit: "on", full_page_writes: "on" }
      : {
          fsync: "off",
          synchronous_commit: "off",
          full_page_writes: "off",
          shared_buffers: "128MB",
          min_wal_size: "80MB",
          max_wal_size: "512MB"
        })
  }
}
