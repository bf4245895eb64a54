/**
 * The same load into a peer, in the same minutes: `peer.nfacctd-….cpu-seconds-per-million` (its database included), and what the appliance
 * needs as a share of it. Rounds alternate, the ratio is that of the medians; numbers of different days say nothing. Skipped, visibly, where
 * pmacct is not installed.
 */
import type { Benchmark } from "./main.ts"
import { median, rounded, rounds, say } from "./udp-to-postgres/machine.ts"
import { readOnce } from "./udp-to-postgres/measure.ts"
import { peerProgram, readPeer, type Writing } from "./udp-to-postgres/Nfacctd.ts"

/** Records a second that both take without loss. */
const RATE = 200_000
/** Medians of three at least: the ratio is of two noisy numbers. */
const ROUNDS = Math.max(3, rounds)

interface Comparison {
  readonly ours: number
  readonly peer: number
}

const compare = async (writing: Writing): Promise<Comparison | undefined> => {
  const program = peerProgram()
  if ("missing" in program) {
    say(`peer.nfacctd-${writing} skipped: ${program.missing}`)
    return undefined
  }
  const ours: Array<number> = []
  const peer: Array<number> = []
  for (let round = 0; round < ROUNDS; round++) {
    const one = await readOnce("netflow9", RATE)
    const other = await readPeer(program.path, writing, "netflow9", RATE)
    ours.push(one.cpuPerMillion + one.databaseCpuPerMillion)
    peer.push(other.cpuPerMillion + other.databaseCpuPerMillion)
  }
  return { ours: median(ours), peer: median(peer) }
}

const known = new Map<Writing, Promise<Comparison | undefined>>()
const comparison = (writing: Writing) => {
  const found = known.get(writing) ?? compare(writing)
  known.set(writing, found)
  return found
}

/** Printed as null where there is nothing to compare with; standard error says why. */
const absent = Number.NaN

export const peerBenchmarks = (): ReadonlyArray<Benchmark> =>
  (["copy", "upsert"] as const).flatMap((writing) => [
    {
      name: `peer.nfacctd-${writing}.cpu-seconds-per-million`,
      unit: "s",
      run: async () => rounded((await comparison(writing))?.peer ?? absent)
    },
    {
      name: `udp-to-postgres.netflow9.cpu-ratio-to-nfacctd-${writing}`,
      unit: "ratio",
      run: async () => {
        const found = await comparison(writing)
        return found === undefined ? absent : rounded(found.ours / found.peer)
      }
    }
  ])
