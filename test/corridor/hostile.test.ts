/** Garbage, truncated and hostile datagrams as fast as they go, while an exporter is to be believed: it stays exact, and all are counted. */
import { createSocket, type Socket } from "node:dgram"
import { assert, describe, it, onTestFinished } from "vitest"
import { sleep, startAppliance, until } from "./Appliance.ts"
import { encoders, exchanges, steady } from "./exporting.ts"
import { hostileKinds, seeded } from "./hostility.ts"

const seconds = Number(process.env["FLOWLENS_SOAK_SECONDS"] ?? 5)
const mebibyte = 1024 ** 2

/** Senders on the loopback network: each address is an exporter of its own, as long as it is not an sFlow agent's. */
const crowd = async (count: number): Promise<ReadonlyArray<Socket>> => {
  const sockets: Array<Socket> = []
  onTestFinished(() => sockets.forEach((socket) => socket.close()))
  for (let i = 0; i < count; i++) {
    const socket = createSocket("udp4")
    sockets.push(socket)
    await new Promise<void>((done, failed) => {
      socket.once("error", failed)
      socket.bind(0, `127.${100 + (i >> 8)}.${i & 255}.1`, done)
    })
    socket.removeAllListeners("error")
    socket.on("error", () => undefined)
  }
  return sockets
}

describe("hostile datagrams", () => {
  it(
    `for ${seconds} s change nothing of a good exporter's map; each is counted, and memory stays where it was`,
    async () => {
      const appliance = await startAppliance({ LOG_LEVEL: "warning", AGGREGATION_FLUSH_INTERVAL_SECONDS: 2 })
      const random = seeded(20_261)
      // the same sender with and without a crowd: 512 sockets, and forged sFlow agents beyond what is kept
      const sockets = await crowd(512)
      const valid = (["netflow5", "netflow9", "ipfix", "sflow5"] as const).flatMap((protocol) =>
        encoders[protocol]()(exchanges(12, { client: "10.66.0.1", server: "10.66.0.2", port: 443, protocol: 6 }), Date.now())
      )
      const kinds = hostileKinds(valid, random)
      const sentBy: Record<string, number> = Object.fromEntries(Object.keys(kinds).map((name) => [name, 0]))
      let sent = 0
      let refused = 0
      const ports = [appliance.ports.netflow, appliance.ports.ipfix, appliance.ports.sflow]
      const burst = async (until: number) => {
        const names = Object.keys(kinds)
        while (Date.now() < until) {
          const sends: Array<Promise<void>> = []
          for (let i = 0; i < 200; i++) {
            const name = names[random.below(names.length)]!
            const datagram = kinds[name]!()
            const socket = sockets[random.below(sockets.length)]!
            sentBy[name]!++
            sends.push(
              new Promise<void>((done) =>
                socket.send(datagram, ports[random.below(3)]!, "127.0.0.1", (error) => {
                  if (error === null) sent++
                  else refused++
                  done()
                })
              )
            )
          }
          await Promise.all(sends)
        }
      }

      const good = await steady("netflow5", appliance.ports.netflow, { address: "127.0.9.9", each: 10 })
      const memory: Array<number> = []
      const rss = async () => Math.round((await appliance.health()).memoryBytes / mebibyte)
      // warm: code compiled, tables grown to their bounds
      await burst(Date.now() + Math.min(10_000, (seconds * 1000) / 2))
      // more agents than are kept, whatever the machine manages in the time: noise that nobody can tell from a switch
      for (let i = 0; i < 50; i++) {
        const forged = Array.from({ length: 100 }, () => kinds["forged agents"]!())
        await Promise.all(
          forged.map(
            (datagram) =>
              new Promise<void>((done) => sockets[0]!.send(datagram, appliance.ports.sflow, "127.0.0.1", () => done(void sent++)))
          )
        )
        await sleep(5)
      }
      await sleep(1500)
      memory.push(await rss())
      const from = Date.now()
      const before = sent
      for (let part = 1; part <= 4; part++) {
        await burst(from + (seconds * 1000 * part) / 4)
        memory.push(await rss())
      }
      const perSecond = Math.round((sent - before) / ((Date.now() - from) / 1000))
      await sleep(1500)
      memory.push(await rss())
      await good.stop()

      // every datagram: received, or dropped by the kernel and counted
      const goodSent = good.datagrams()
      const account = await until("all datagrams are accounted for", async () => {
        const { flow, actors, warnings } = await appliance.health()
        return Number(flow.datagrams) + Number(flow.kernelDropped) === sent + goodSent && { flow, actors, warnings }
      }).catch(async (error) => {
        throw new Error(`sent ${sent + goodSent}, ${JSON.stringify((await appliance.health()).flow)}`, { cause: error })
      })
      const { flow, actors, warnings } = account
      // Thousands of exporters are read more rarely than the sums of all.
      const isGood = (one: { readonly address: string; readonly protocol: string }) =>
        one.address === "127.0.9.9" && one.protocol === "netflow5"
      const exporters = await until("all of the good exporter is among the exporters", async () => {
        const all = (await appliance.api("/exporters")).json as ReadonlyArray<{
          readonly address: string
          readonly protocol: string
          readonly records: string
          readonly sequenceLost: string
          readonly malformed: string
          readonly malformedReasons: Record<string, string>
        }>
        const found = all.find(isGood)
        return found !== undefined && Number(found.records) + Number(found.sequenceLost) >= good.records() && all
      })
      const reasons: Record<string, number> = {}
      for (const one of exporters) {
        for (const [reason, n] of Object.entries(one.malformedReasons)) reasons[reason] = (reasons[reason] ?? 0) + Number(n)
      }
      console.log("hostile datagrams", {
        seconds,
        perSecond,
        sent,
        refused,
        sentBy,
        goodSent,
        flow,
        exporters: exporters.length,
        reasons,
        memory
      })
      console.log(
        "worker",
        Object.assign(
          {},
          ...actors
            .filter((one: { path: string }) => one.path.startsWith("flow/"))
            .map((one: { path: string; gauges: object }) => ({ [one.path]: one.gauges }))
        )
      )
      assert.strictEqual(flow.failed, "0", "the decoder threw")
      assert.isEmpty(
        actors.filter((one: { restarts: number }) => one.restarts > 0).map((one: { path: string }) => one.path),
        "restarted"
      )
      for (const reason of ["set-length", "template-field-count", "template-id", "record-count", "sample-truncated"]) {
        assert.isAbove(reasons[reason] ?? 0, 0, `nobody was counted for ${reason}`)
      }
      assert.isAbove(Number(flow.malformed), 0)
      assert.isAbove(Number(flow.refused), 0, "no exporter too many")
      assert.isAtMost(exporters.length, 4096)
      assert.isTrue(warnings.some((one: { code: string }) => one.code === "exporters-full"))
      assert.isTrue(warnings.some((one: { code: string }) => one.code === "malformed-datagrams"))

      // the good exporter: what it lost to a full socket its own numbers say; all else stands in the map, to the octet
      const believed = exporters.find(isGood)!
      assert.strictEqual(Number(believed.records) + Number(believed.sequenceLost), good.records())
      assert.strictEqual(believed.malformed, "0")
      const written = await until("the good exporter's records are written", async () => {
        const [row] = await appliance.rows<{ bytes: string; packets: string; records: string; edges: number }>(
          `SELECT coalesce(sum(total_bytes), 0)::text bytes, coalesce(sum(total_packets), 0)::text packets, count(*)::int edges,
               coalesce(sum(total_flows), 0)::text records
             FROM dependencies WHERE source_address << '10.1.0.0/24' AND target_address << '10.2.0.0/24' AND port = 443`
        )
        return Number(row!.packets) >= (Number(believed.records) / 2) * 30 && row
      })
      // a lost record takes its half of an exchange away
      if (believed.sequenceLost === "0") {
        assert.strictEqual(Number(written.bytes), good.bytes())
        assert.strictEqual(Number(written.packets), good.packets())
      }
      const backwards = await appliance.rows(
        "SELECT 1 FROM dependencies WHERE source_address << '10.2.0.0/24' AND target_address << '10.1.0.0/24'"
      )
      assert.isEmpty(backwards)

      // flat: what is bounded was filled by the warm-up; the rest is the collector's breath
      assert.isBelow(memory.at(-1)! - memory[0]!, 400, `memory grew: ${memory.join(", ")} MiB`)
      assert.strictEqual(await appliance.stop(), 0, appliance.output().slice(-2000))
    },
    300_000 + seconds * 4000
  )
})
