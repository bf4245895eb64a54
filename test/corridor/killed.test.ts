/** The appliance and its database are killed, frozen and stopped under traffic; the sums in the rows say what that cost. */
import { assert, describe, it } from "vitest"
import { type Appliance, sleep, startAppliance, until } from "./Appliance.ts"
import { steady } from "./exporting.ts"

/** The long run freezes it as long as a bad disk does. */
const frozenMs = process.env["FLOWLENS_SOAK_SECONDS"] === undefined ? 6000 : 20_000
const lossOf = (detail: string) => Number(/(\d+) flow records had been counted/.exec(detail)?.[1])

interface ExporterSeen {
  readonly address: string
  /** 0 until this run heard it: its counters are those of the run before. */
  readonly recordsPerSecond: number
  readonly records: string
  readonly sequenceLost: string
  readonly sequenceResets: string
}
const exporter = async (appliance: Appliance, address: string): Promise<ExporterSeen | undefined> =>
  (await appliance.api("/exporters")).json.find((one: ExporterSeen) => one.address === address)

describe("under traffic", () => {
  it("kill -9 of the appliance costs what the next start says, and nothing else", async () => {
    // the open window is worth losing: it is written every four seconds
    const appliance = await startAppliance({ LOG_LEVEL: "warning", AGGREGATION_FLUSH_INTERVAL_SECONDS: 4 })
    // v5 numbers records, so what was sent while nobody listened is known to the record
    const traffic = await steady("netflow5", appliance.ports.netflow)
    await until("flows are written", async () => (await appliance.written()).records > 2000)
    const startMs: Array<number> = []
    const kills: Array<{ readonly lost: number; readonly atRisk: number }> = []
    let reported = 0
    let gaps = 0
    for (let round = 0; round < 2; round++) {
      // two seconds after a write
      const before = (await appliance.written()).records
      await until("a slice is written", async () => (await appliance.written()).records > before)
      await sleep(2000)
      const safe = (await appliance.written()).records + reported + gaps
      appliance.signal("SIGKILL")
      // what was sent and neither in the rows nor lost earlier
      const atRisk = traffic.records() - safe
      await appliance.ended()
      await sleep(1000)
      startMs.push(await appliance.again())
      const warning = await until("health tells of it", () => appliance.warning("unclean-stop"))
      const health = await appliance.health()
      assert.notStrictEqual(health.status, "healthy")
      const lost = lossOf(warning.detail)
      kills.push({ lost, atRisk })
      reported += lost
      const seen = await until("the exporter's gap is seen", async () => {
        const one = await exporter(appliance, "127.0.77.1")
        return one !== undefined && one.recordsPerSecond > 0 && Number(one.sequenceLost) > 0 && one
      })
      assert.strictEqual(seen.sequenceResets, "0")
      gaps += Number(seen.sequenceLost)
    }
    await traffic.stop()
    await appliance.drained()
    assert.strictEqual(await appliance.stop(), 0)
    await appliance.again()
    const written = (await appliance.written()).records
    const account = written + reported + gaps
    const runs = await appliance.rows<{ records: string; written: string; largest: number }>(
      `SELECT records::text, records_written::text AS written, (SELECT coalesce(max(w.records), 0)::int FROM window_writes w WHERE w.boot = b.boot) AS largest
       FROM boots b ORDER BY started_at`
    )
    const figures = { sent: traffic.records(), written, reported, gaps, account, kills, startMs, runs }
    console.log("kill -9 of the appliance", figures)
    const text = JSON.stringify(figures)
    // Never less: nothing is lost silently. Maybe more: what came after the last progress row is in the gap, though one more slice of it was
    // written.
    const twice = account - traffic.records()
    assert.isAtLeast(twice, 0, text)
    assert.isAtMost(
      twice,
      runs.slice(0, kills.length).reduce((sum, { largest }) => sum + largest, 0),
      text
    )
    // a kill costs what was not written yet, and no more
    for (const { lost, atRisk } of kills) assert.isAtMost(lost, atRisk + twice, text)
    assert.isUndefined(await appliance.warning("database-away"))
    assert.strictEqual(await appliance.stop(), 0)
  })

  it("the database is killed, frozen, and everything stopped: nothing is lost, nothing counted twice", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning" })
    const traffic = await steady("netflow9", appliance.ports.netflow)
    await until("flows are written", async () => (await appliance.written()).records > 1000)

    const first = appliance.postmaster()
    process.kill(first, "SIGKILL")
    const since = Date.now()
    await until("another database runs", async () => (await appliance.written()).records > 0 && appliance.postmaster() !== first)
    const backAfterMs = Date.now() - since
    let back: number | undefined
    await until("flows are written again", async () => {
      const { records } = await appliance.written()
      return records > (back ??= records)
    })

    // frozen, as a machine that swaps or a disk that hangs
    appliance.signalDatabase("SIGSTOP")
    const hung = Date.now()
    const told = await until("health tells of the frozen database", async () => {
      const { status, json } = await appliance.ask("/health")
      return status === 503 && json.checks.database === "fail" && json
    })
    const toldAfterMs = Date.now() - hung
    assert.strictEqual(told.status, "unhealthy")
    await sleep(Math.max(0, frozenMs - (Date.now() - hung)))
    appliance.signalDatabase("SIGCONT")
    const thawed = Date.now()
    // that windows had to wait is said for a minute more
    await until("the database answers again", async () => (await appliance.ask("/health")).json.checks.database !== "fail")
    const healthyAfterMs = Date.now() - thawed
    const thawedAt = (await appliance.written()).records
    await until("flows are written once more", async () => (await appliance.written()).records > thawedAt)

    // and the end, with the exporter still sending
    const asked = Date.now()
    // one Ctrl-C under npm comes twice
    appliance.signal("SIGINT")
    assert.strictEqual(await appliance.stop(), 0, appliance.output())
    const stoppedAfterMs = Date.now() - asked
    await appliance.again()
    assert.isUndefined(await appliance.warning("unclean-stop"))
    const seen = await until("the gap of the stop is seen", async () => {
      const one = await exporter(appliance, "127.0.77.1")
      return one !== undefined && one.recordsPerSecond > 0 && Number(one.sequenceLost) > 0 && one
    })
    await traffic.stop()
    await appliance.drained()
    assert.strictEqual(await appliance.stop(), 0)
    await appliance.again()
    const boots = await appliance.rows<{ datagrams: string; records: string; written: string }>(
      "SELECT datagrams::text, records::text, records_written::text written FROM boots ORDER BY started_at"
    )
    const sum = (of: (row: (typeof boots)[number]) => string) => boots.reduce((total, row) => total + Number(of(row)), 0)
    const written = await appliance.written()
    const figures = {
      sent: { datagrams: traffic.datagrams(), records: traffic.records() },
      heard: sum((row) => row.datagrams),
      gaps: seen.sequenceLost,
      written,
      backAfterMs,
      toldAfterMs,
      healthyAfterMs,
      stoppedAfterMs
    }
    console.log("database killed and frozen, then SIGTERM", figures)
    const text = JSON.stringify(figures)
    assert.isBelow(toldAfterMs, 60_000)
    // every datagram was heard, or came between two runs: v9 numbers datagrams
    assert.strictEqual(sum((row) => row.datagrams) + Number(seen.sequenceLost), traffic.datagrams(), text)
    assert.strictEqual(seen.sequenceResets, "0")
    // every record that was heard stands in the windows once
    assert.strictEqual(
      sum((row) => row.written),
      sum((row) => row.records),
      text
    )
    assert.strictEqual(
      written.records,
      sum((row) => row.records),
      text
    )
    assert.strictEqual(written.bytes, (written.records / 2) * 25_500, text)
    assert.strictEqual(written.packets, (written.records / 2) * 30, text)
    // most of it, however long a busy machine took to start again
    assert.isAbove(written.records, traffic.records() * 0.5, text)
    assert.strictEqual(await appliance.stop(), 0)
  })
})
