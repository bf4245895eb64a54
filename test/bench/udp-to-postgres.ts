/**
 * From datagrams on the loopback to sums in PostgreSQL: the whole appliance, everything on, one core for it and one for the sender and the
 * database. docs/performance.md says how to read the lines and what they should be.
 *
 * `udp-to-postgres.FORMAT.…` is at 1,000,000 records/s offered, `udp-to-postgres.FORMAT.at-200k.…` at 200,000.
 */
import type { Benchmark } from "./main.ts"
import { type Reading, reading } from "./udp-to-postgres/measure.ts"
import { formats, theSender } from "./udp-to-postgres/Sender.ts"

const lines: ReadonlyArray<readonly [name: string, unit: string, of: keyof Reading]> = [
  ["loss-percent", "%", "lossPercent"],
  ["cpu-seconds-per-million", "s", "cpuPerMillion"],
  ["postgres-cpu-seconds-per-million", "s", "databaseCpuPerMillion"],
  ["records-per-second", "records/s", "recordsPerSecond"],
  ["memory-mib", "MiB", "memoryMib"]
]

const rates: ReadonlyArray<readonly [suffix: string, rate: number]> = [
  ["", 1_000_000],
  [".at-200k", 200_000]
]

export const udpToPostgresBenchmarks = (): ReadonlyArray<Benchmark> =>
  formats.flatMap((format) =>
    rates.flatMap(([suffix, rate]) =>
      lines.map(([name, unit, of]) => ({
        name: `udp-to-postgres.${format}${suffix}.${name}`,
        // Read when the line is printed: whoever sends in JavaScript offers less than was asked for.
        get unit() {
          return theSender().label === "C" ? unit : `${unit} (sender in JavaScript)`
        },
        run: async () => (await reading(format, rate))[of]
      }))
    )
  )
