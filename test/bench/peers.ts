/**
 * The same load into a peer, in the same minutes: `peer.nfacctd-….cpu-seconds-per-million` (its database included), and what the appliance
 * needs as a share of it. Rounds alternate, the ratio is that of the medians; numbers of different days say nothing. Skipped, visibly, where
 * pmacct is not installed.
 */
import type { Benchmark } from "./main.ts"
import { loadSeconds, median, rounded, rounds, say } from "./udp-to-postgres/machine.ts"
import { readOnce } from "./udp-to-postgres/measure.ts"
import { peerProgram, readPeer, type Writing } from "./udp-to-postgres/Nfacctd.ts"

/** At 200,000 records a second both take all; at a million the peer does not, and its CPU counts for what it stored. */
const rates: ReadonlyArray<readonly [suffix: string, rate: number]> = [
  ["", 200_000],
  [".at-1m", 1_000_000]
]
/** Medians of three at least, as the ratio is of two noisy numbers; a minute of load is steady enough to stand alone. */
const ROUNDS = loadSeconds >= 60 ? rounds : Math.max(3, rounds)

interface Comparison {
  readonly ours: number
  readonly peer: number
}

const compare = async (writing: Writing, rate: number): Promise<Comparison | undefined> => {
  const program = peerProgram()
  if ("missing" in program) {
    say(`peer.nfacctd-${writing} skipped: ${program.missing}`)
    return undefined
  }
  const ours: Array<number> = []
  const peer: Array<number> = []
  for (let round = 0; round < ROUNDS; round++) {
    const one = await readOnce("netflow9", rate)
    const other = await readPeer(program.path, writing, "netflow9", rate)
    ours.push(ofStored(one))
    peer.push(ofStored(other))
  }
  return { ours: median(ours), peer: median(peer) }
}

/** CPU seconds of the collector and its database per million records stored. */
const ofStored = (one: { readonly cpuPerMillion: number; readonly databaseCpuPerMillion: number; readonly lossPercent: number }) =>
  (one.cpuPerMillion + one.databaseCpuPerMillion) / (1 - one.lossPercent / 100)

const known = new Map<string, Promise<Comparison | undefined>>()
const comparison = (writing: Writing, rate: number) => {
  const key = `${writing} ${rate}`
  const found = known.get(key) ?? compare(writing, rate)
  known.set(key, found)
  return found
}

/** Printed as null where there is nothing to compare with; standard error says why. */
const absent = Number.NaN

export const peerBenchmarks = (): ReadonlyArray<Benchmark> =>
  rates.flatMap(([suffix, rate]) =>
    (["copy", "upsert"] as const).flatMap((writing) => [
      {
        name: `peer.nfacctd-${writing}${suffix}.cpu-seconds-per-million`,
        unit: "s",
        run: async () => rounded((await comparison(writing, rate))?.peer ?? absent)
      },
      {
        name: `udp-to-postgres.netflow9.cpu-ratio-to-nfacctd-${writing}${suffix}`,
        unit: "ratio",
        run: async () => {
          const found = await comparison(writing, rate)
          return found === undefined ? absent : rounded(found.ours / found.peer)
        }
      }
    ])
  )
