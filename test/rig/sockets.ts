/** What this machine's kernel holds for a UDP port. */
import { readFileSync } from "node:fs"
import { parseKernelTable } from "#pipeline/ingest/kernel-table.ts"

/** Octets that came and that nobody has read yet. */
export const unreadOctets = (port: number): number =>
  ["udp", "udp6"]
    .map((table) => parseKernelTable(readFileSync(`/proc/net/${table}`, "utf8"), port, undefined)?.queued ?? 0)
    .reduce((sum, one) => sum + one, 0)
