/**
 * One measured run of the appliance: a warm-up that shows it every conversation often enough to be believed, then the load, then it is asked to
 * end, so that it writes what it holds into every table; the peer is measured likewise.
 * Loss is what the sender says it sent against the sums that the next start finds in the database.
 */
import { type Appliance, type StoredTotals, startAppliance } from "./Appliance.ts"
import { flushSeconds, loadSeconds, median, pause, pinned, rounded, rounds, say, temporaryFolder } from "./machine.ts"
import { CONVERSATIONS, type Format, type Sent, theSender } from "./Sender.ts"

export interface Reading {
  /** Records a second that the sender managed. */
  readonly offered: number
  /** Records a second stored, over the seconds of sending. */
  readonly recordsPerSecond: number
  readonly lossPercent: number
  readonly cpuPerMillion: number
  readonly databaseCpuPerMillion: number
  readonly memoryMib: number
}

const portOf = (appliance: Appliance, format: Format): number =>
  format === "ipfix" ? appliance.ipfixPort : format === "sflow5" ? appliance.sflowPort : appliance.netflowPort

/** Records a conversation on average: the senders repeat what they made, so that the rarest of 50,000 comes five times. */
const warmRecords = 25
const longestWriteMilliseconds = 180_000

/**
 * Until the stored sums reach `packets`, or nothing is on its way any more. What waits in the journal meanwhile is added to tables during the
 * load, and counted there.
 */
const settle = async (appliance: Appliance, packets: number): Promise<StoredTotals> => {
  let last = await appliance.stored()
  let movedAt = performance.now()
  for (;;) {
    const still = performance.now() - movedAt
    const idle = last.written >= last.folded && still > (flushSeconds + 3) * 1000
    if (last.rawPackets >= packets || idle || still > longestWriteMilliseconds) return last
    await pause(250)
    const now = await appliance.stored()
    if (now.rawPackets !== last.rawPackets || now.folded !== last.folded) movedAt = performance.now()
    last = now
  }
}

/** What the next start finds; not measured. */
const readAgain = async (dataFolder: string): Promise<{ readonly after: StoredTotals; readonly rows: number }> => {
  const appliance = await startAppliance({ dataFolder, anyCore: true })
  try {
    const after = await appliance.stored()
    if (after.waiting > 0) throw new Error(`${after.waiting} entries were left in the journal: not all of the work was measured`)
    return { after, rows: await appliance.rows() }
  } finally {
    await appliance.stop()
  }
}

/** Threads that took more than a hundredth of the time. */
const busiest = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>, seconds: number): string =>
  Object.entries(after)
    .map(([name, total]) => [name, (total - (before[name] ?? 0)) / seconds] as const)
    .filter(([, share]) => share > 0.01)
    .sort((one, other) => other[1] - one[1])
    .map(([name, share]) => `${name} ${rounded(share, 2)}`)
    .join(", ")

export const readOnce = async (format: Format, rate: number): Promise<Reading> => {
  const sender = theSender()
  const folder = temporaryFolder(format)
  const dataFolder = `${folder.path}/data`
  const appliance = await startAppliance({ dataFolder })
  try {
    const load = { format, port: portOf(appliance, format) }
    const warm = await sender.send({ ...load, rate: Math.min(rate, 100_000), records: CONVERSATIONS * warmRecords })
    const before = await settle(appliance, warm.packets)
    const cpu = appliance.cpu.seconds()
    const databaseCpu = appliance.databaseCpu.seconds()
    const threads = appliance.threads()
    const sent: Sent = await sender.send({ ...load, rate, records: Math.round(rate * loadSeconds) })
    const receiving = appliance.threads()
    await pause(500)
    const memory = appliance.peakMemory()
    await appliance.end()
    const { after, rows } = await readAgain(dataFolder)
    const millions = sent.records / 1e6
    const stored = after.records - before.records
    const reading: Reading = {
      offered: Math.round(sent.records / sent.seconds),
      recordsPerSecond: Math.round(stored / sent.seconds),
      lossPercent: rounded(100 * (1 - (after.rawPackets - before.rawPackets) / sent.packets), 4),
      cpuPerMillion: rounded((appliance.cpu.seconds() - cpu) / millions),
      databaseCpuPerMillion: rounded((appliance.databaseCpu.seconds() - databaseCpu) / millions),
      memoryMib: Math.round(memory)
    }
    say(
      `${format} ${rate}/s for ${rounded(sent.seconds, 1)} s, sender ${sender.label}${pinned ? "" : ", not pinned"}: offered ${reading.offered}/s, ` +
        `lost ${reading.lossPercent}%, ${sent.records - stored} records of ${sent.records}, CPU ${reading.cpuPerMillion} + PostgreSQL ` +
        `${reading.databaseCpuPerMillion} s per million (${appliance.cpu.kind}), ${after.slices - before.slices} writes, ${rows} rows, ` +
        `${reading.memoryMib} MiB; cores while sending: ${busiest(threads, receiving, sent.seconds)}; warm-up lost ` +
        `${warm.packets - before.rawPackets} packets of ${warm.packets}`
    )
    return reading
  } finally {
    await appliance.stop()
    folder.remove()
  }
}

const middle = (readings: ReadonlyArray<Reading>): Reading => {
  const of = (name: keyof Reading) => median(readings.map((one) => one[name]))
  return {
    offered: of("offered"),
    recordsPerSecond: of("recordsPerSecond"),
    lossPercent: of("lossPercent"),
    cpuPerMillion: of("cpuPerMillion"),
    databaseCpuPerMillion: of("databaseCpuPerMillion"),
    memoryMib: of("memoryMib")
  }
}

const known = new Map<string, Promise<Reading>>()

/** Medians of `rounds` runs, measured when first asked for: several lines are read from the same runs. */
export const reading = (format: Format, rate: number): Promise<Reading> => {
  const key = `${format} ${rate}`
  const found = known.get(key)
  if (found !== undefined) return found
  const fresh = (async () => {
    const readings: Array<Reading> = []
    for (let round = 0; round < rounds; round++) readings.push(await readOnce(format, rate))
    return middle(readings)
  })()
  known.set(key, fresh)
  return fresh
}
