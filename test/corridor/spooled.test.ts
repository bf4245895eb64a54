/** The database is away: what comes meanwhile waits on disk, is bounded, survives a kill, and is written once when the database is back. */
import { chmodSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Redacted, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { assert, describe, it, onTestFinished } from "vitest"
import { freshDatabase } from "../rig/Database.ts"
import { type Appliance, dataFolder, type Knobs, sleep, startAppliance, until } from "./Appliance.ts"
import { blast } from "./blast.ts"
import { mountSmall } from "./disk.ts"
import { throughProxy } from "./outage.ts"

/** The long form is ten minutes. */
const outageSeconds = Number(process.env["FLOWLENS_OUTAGE_SECONDS"] ?? 8)
const mebibyte = 1024 ** 2

/** An appliance over a database that can be cut off, and a look at the rows that goes past the cut. */
const overDatabase = async (knobs: Knobs, prepare: (data: string) => void = () => undefined) => {
  const scope = Effect.runSync(Scope.make())
  onTestFinished(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const { url } = await Effect.runPromise(freshDatabase("template0").pipe(Scope.provide(scope)))
  const outage = await throughProxy(new URL(Redacted.value(url)))
  const data = dataFolder()
  prepare(data)
  const appliance = await startAppliance({ LOG_LEVEL: "error", DATABASE_URL: outage.url, ...knobs }, [], data)
  const rows = <A extends object>(text: string): Promise<ReadonlyArray<A>> =>
    Effect.flatMap(PgClient.makeClient({ url }), (sql) => sql.unsafe<A>(text)).pipe(
      Effect.scoped,
      Effect.provide(Reactivity.layer),
      Effect.runPromise
    )
  const written = async () => {
    const [row] = await rows<{ records: string; bytes: string; sampled: number }>(`SELECT coalesce(sum(records), 0)::text records,
      coalesce(sum(bytes), 0)::text bytes, count(*) FILTER (WHERE pressure_sampling > 1)::int sampled FROM windows`)
    return { records: Number(row!.records), bytes: Number(row!.bytes), sampled: row!.sampled }
  }
  return { appliance, outage, rows, written, spool: join(data, "spool") }
}

/** Records that the note beside the spool says were counted: of the one start there was. */
const notedIn = (folder: string): number | undefined => {
  const name = readdirSync(folder).find((one) => one.endsWith(".boot"))
  return name === undefined ? undefined : JSON.parse(readFileSync(join(folder, name), "utf8")).records
}
const slicesIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".slice"))
const metric = async (appliance: Appliance, name: string): Promise<number> => {
  const token = await appliance.token("admin")
  const { text } = await appliance.ask("/metrics", { headers: { authorization: `Bearer ${token}` } })
  return Number(new RegExp(`^flowlens_${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN)
}
const decoded = async (appliance: Appliance) => Number((await appliance.health()).flow.records)
/** Datagrams that reached the sockets are in the accounts. */
const allHeard = (appliance: Appliance, datagrams: number) =>
  until("all datagrams are accounted for", async () => {
    const { flow } = await appliance.health()
    return Number(flow.datagrams) + Number(flow.kernelDropped) >= datagrams
  })

describe("while the database is away", () => {
  it(
    `50,000 records/s for ${outageSeconds} s wait on disk; nothing is lost, memory is bounded`,
    async () => {
      const flush = outageSeconds > 60 ? 10 : 1
      const { appliance, outage, written, spool } = await overDatabase({ AGGREGATION_FLUSH_INTERVAL_SECONDS: flush })
      const traffic = await blast(appliance.ports.netflow, { recordsPerSecond: 50_000, conversations: 5000 })
      await until("flows are written", async () => (await written()).records > 0)
      const before = (await appliance.health()).memoryBytes
      await outage.cut()
      const since = Date.now()
      const warning = await until("health tells that windows wait", () => appliance.warning("spool-lags"))
      assert.match(warning.detail, /\d+ slices \(\d+ flow records, [\d.]+ MB on disk\) wait since \d+ s/)
      let most = 0
      while (Date.now() - since < outageSeconds * 1000) {
        await sleep(1000)
        most = Math.max(most, (await appliance.health()).memoryBytes)
      }
      // the worker has two under way at most: more are waiting because it was told that they are on the disk
      const waiting = await until("slices were acknowledged while the database is away", async () => {
        const { spool: now } = await appliance.health()
        return now.waitingSlices > 4 && now
      })
      const files = slicesIn(spool).length
      assert.isAbove(files, 2)
      await outage.mend()
      const mended = Date.now()
      await traffic.stop()
      await allHeard(appliance, traffic.datagrams())
      const records = await decoded(appliance)
      await until("all of it is written", async () => (await written()).records >= records, 60 + outageSeconds)
      const figures = {
        sent: traffic.records(),
        decoded: records,
        written: await written(),
        caughtUpMs: Date.now() - mended,
        spooled: { files, bytes: waiting.bytes, slices: waiting.waitingSlices, records: waiting.waitingRecords },
        memoryMiB: { before: Math.round(before / mebibyte), most: Math.round(most / mebibyte) }
      }
      console.log("the database away under load", figures)
      const text = JSON.stringify(figures)
      const { flow } = await appliance.health()
      assert.strictEqual(figures.written.records, records, text)
      // every datagram that was not dropped by the kernel is there, to the octet
      assert.strictEqual(records, (traffic.datagrams() - Number(flow.kernelDropped)) * traffic.recordsEach, text)
      assert.strictEqual(figures.written.bytes, records * traffic.bytesEach, text)
      assert.strictEqual(figures.written.sampled, 0, text)
      assert.isBelow(most - before, 400 * mebibyte, text)
      await until("the spool is empty", async () => slicesIn(spool).length === 0)
      // the accounts are drawn up once a second
      await until("the accounts say so too", async () => (await metric(appliance, "spool_files")) === 0)
      assert.isAbove(await metric(appliance, "spool_writes_total"), 0)
      assert.strictEqual(await appliance.stop(), 0)
    },
    (120 + outageSeconds * 3) * 1000
  )

  it("kill -9 costs the open window and says so; what was spooled is written at the next start", async () => {
    const { appliance, outage, written, rows, spool } = await overDatabase({ AGGREGATION_FLUSH_INTERVAL_SECONDS: 5 })
    const traffic = await blast(appliance.ports.netflow, { recordsPerSecond: 5000, conversations: 1000 })
    await until("flows are written", async () => (await written()).records > 0)
    await outage.cut()
    await until("some slices are on disk", async () => slicesIn(spool).length >= 2)
    // Right after a flush, so that there is something to lose when all is heard and noted; a machine that takes longer tries again.
    let [playing, records] = [traffic, 0]
    let sent = 0
    for (let files = 0; ; ) {
      files = slicesIn(spool).length
      await until("another", async () => slicesIn(spool).length > files)
      files = slicesIn(spool).length
      await sleep(500)
      await playing.stop()
      sent += playing.datagrams()
      await allHeard(appliance, sent)
      records = await decoded(appliance)
      await until("it is noted how far it got", async () => notedIn(spool) === records)
      if (slicesIn(spool).length === files) break
      playing = await blast(appliance.ports.netflow, { recordsPerSecond: 5000, conversations: 1000, address: "127.0.78.3" })
    }
    appliance.signal("SIGKILL")
    await appliance.ended()
    const left = slicesIn(spool).length
    const before = (await written()).records
    await outage.mend()
    await appliance.again()
    const warning = await until("health tells what it cost", () => appliance.warning("unclean-stop"))
    const lost = Number(/(\d+) flow records had been counted/.exec(warning.detail)?.[1])
    await until("the spool is written", async () => slicesIn(spool).length === 0)
    const after = await written()
    const state = await until("health tells of it", async () => {
      const { spool: now } = await appliance.health()
      return now.waitingSlices === 0 && Number(now.replayedRecords) > 0 && now
    })
    const figures = { decoded: records, before, left, replayed: state.replayedRecords, after: after.records, lost }
    console.log("kill -9 while the database is away", figures)
    const text = JSON.stringify(figures)
    assert.isAbove(left, 0, text)
    assert.isAbove(lost, 0, text)
    assert.strictEqual(after.records + lost, records, text)
    assert.strictEqual(after.bytes, after.records * traffic.bytesEach, text)
    // a flush interval and what a busy machine adds
    assert.isBelow(lost, 5000 * 10, text)
    // what was committed and not yet removed is known as written
    assert.isAtLeast(before + Number(state.replayedRecords), after.records, text)
    const [row] = await rows<{ lost: number }>(
      "SELECT (max(records) - max(records_written))::int lost FROM boots WHERE stopped_at IS NULL AND reported_at IS NOT NULL"
    )
    assert.strictEqual(row!.lost, lost, text)
    assert.strictEqual(await appliance.stop(), 0)
  })

  it("a clean stop does not wait for it, and loses nothing", async () => {
    const { appliance, outage, written, spool } = await overDatabase({})
    const traffic = await blast(appliance.ports.netflow, { recordsPerSecond: 2000, conversations: 500 })
    await until("flows are written", async () => (await written()).records > 0)
    await outage.cut()
    await until("slices are on disk", async () => slicesIn(spool).length > 0)
    await traffic.stop()
    await allHeard(appliance, traffic.datagrams())
    const records = await decoded(appliance)
    const asked = Date.now()
    assert.strictEqual(await appliance.stop(), 0, appliance.output())
    const stoppedAfterMs = Date.now() - asked
    assert.isAbove(slicesIn(spool).length, 0)
    await outage.mend()
    await appliance.again()
    await until("the spool is written", async () => slicesIn(spool).length === 0)
    console.log("stopped while the database is away", { records, written: await written(), stoppedAfterMs })
    assert.strictEqual((await written()).records, records)
    assert.isUndefined(await appliance.warning("unclean-stop"))
    assert.isBelow(stoppedAfterMs, 60_000)
    assert.strictEqual(await appliance.stop(), 0)
  })

  it("a full disk of the spool is said and survived; what waits in memory is written when the database is back", async (context) => {
    let mounted = false
    const { appliance, outage, written, spool } = await overDatabase({}, (data) => {
      mounted = mountSmall(join(data, "spool"), "200k")
      chmodSync(data, 0o755)
    })
    if (!mounted) return context.skip("needs the right to mount a small file system")
    const traffic = await blast(appliance.ports.netflow, { recordsPerSecond: 5000, conversations: 1000 })
    await until("flows are written", async () => (await written()).records > 0)
    await outage.cut()
    const failing = await until("health tells of the spool", () => appliance.warning("spool-failing"))
    assert.match(failing.detail, /ENOSPC/)
    assert.strictEqual((await appliance.ask("/health")).status, 503)
    await until("the worker merges", () => appliance.warning("store-lags"))
    const { spool: state } = await appliance.health()
    assert.isAtMost(state.waitingSlices - slicesIn(spool).length, 3)
    await outage.mend()
    await traffic.stop()
    await allHeard(appliance, traffic.datagrams())
    const records = await decoded(appliance)
    await until("all of it is written", async () => (await written()).records >= records)
    assert.strictEqual((await written()).records, records)
    assert.strictEqual((await written()).bytes, records * traffic.bytesEach)
    await until("the spool is well", async () => (await appliance.warning("spool-failing")) === undefined)
    assert.strictEqual(await appliance.stop(), 0)
  })

  it("a full spool makes the worker sample one of N, mark the window, then drop and count", async () => {
    // Within one window: where one ends, its conversations and those of the next need room together, before the worker samples.
    const hour = 3_600_000
    const left = hour - (Date.now() % hour)
    if (left < 240_000) await sleep(left)
    const { appliance, outage, written, spool } = await overDatabase({
      INGESTION_SPOOL_MAX_SIZE: "1 MiB",
      AGGREGATION_WINDOW_SIZE_SECONDS: 3600,
      AGGREGATION_MAX_CONVERSATIONS: 4000
    })
    const small = await blast(appliance.ports.netflow, { recordsPerSecond: 10_000, conversations: 3500 })
    await until("flows are written", async () => (await written()).records > 0)
    await outage.cut()
    const full = await until("health tells that the spool is full", () => appliance.warning("spool-full"))
    assert.match(full.detail, /^1\.0 MB of 1\.0 MB used|^0\.\d MB of 1\.0 MB used/)
    const sampling = await until("one record of ten is kept", async () => {
      const warning = await appliance.warning("store-lags")
      return warning?.detail.includes("one record of 10 is kept") && warning
    })
    assert.isDefined(sampling)
    await sleep(4000)
    await small.stop()
    // and then many more conversations than there is room for
    const many = await blast(appliance.ports.netflow, {
      recordsPerSecond: 20_000,
      conversations: 100_000,
      address: "127.0.78.2",
      server: "10.200.0.2"
    })
    await until("records are refused", () => appliance.warning("conversations-full"))
    await many.stop()
    await allHeard(appliance, small.datagrams() + many.datagrams())
    const bytes = slicesIn(spool).length
    assert.isAbove(bytes, 0)
    const { actors, flow } = await appliance.health()
    const window = actors.find((one: { path: string }) => one.path === "flow/worker-1/window").gauges
    await outage.mend()
    await until(
      "the spool is empty",
      async () => slicesIn(spool).length === 0 && (await appliance.health()).spool.waitingSlices === 0
    )
    assert.strictEqual(await appliance.stop(), 0)
    const sums = await written()
    const skipped = window.records - window.folded - window.refused - window.late - window.failed
    const heard = small.records() + many.records() - Number(flow.kernelDropped) * small.recordsEach
    const figures = { heard, window, skipped, sums }
    console.log("a full spool", figures)
    const text = JSON.stringify(figures)
    assert.isAbove(sums.sampled, 0, text)
    assert.isAbove(skipped, 0, text)
    // every record was folded, left out by sampling, or refused; each is counted
    assert.strictEqual(sums.records, window.folded, text)
    assert.strictEqual(window.records, heard, text)
    // A kept record stands for ten, and so does one that was refused: octets are those of all the others, within four deviations of a draw
    // of one in ten.
    const sampled = (skipped * 10) / 9
    const wanted = (window.folded + skipped - 9 * window.refused) * small.bytesEach
    const deviation = Math.sqrt(sampled * 9) * small.bytesEach
    assert.isBelow(Math.abs(sums.bytes - wanted), 4 * deviation, text)
  }, 600_000)
})
