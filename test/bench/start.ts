/** From the start of the process to the first answer over HTTPS: on a data folder that exists, and on none. */
import type { Benchmark } from "./main.ts"
import { startAppliance } from "./udp-to-postgres/Appliance.ts"
import { median, rounded, temporaryFolder } from "./udp-to-postgres/machine.ts"

/** Seconds of each start on one data folder; the first makes it. */
const starts = async (count: number): Promise<ReadonlyArray<number>> => {
  const folder = temporaryFolder("start")
  try {
    const seconds: Array<number> = []
    for (let i = 0; i < count; i++) {
      const appliance = await startAppliance({ dataFolder: `${folder.path}/data`, anyCore: true })
      seconds.push(appliance.httpsSeconds)
      await appliance.stop()
    }
    return seconds
  } finally {
    folder.remove()
  }
}

let known: Promise<ReadonlyArray<number>> | undefined
const measured = () => (known ??= starts(4))

export const startBenchmarks = (): ReadonlyArray<Benchmark> => [
  { name: "start.https-seconds", unit: "s", run: async () => rounded(median((await measured()).slice(1))) },
  { name: "start.fresh.https-seconds", unit: "s", run: async () => rounded((await measured())[0]!) }
]
