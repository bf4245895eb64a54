import { assert, describe, it } from "vitest"
import { MAX_PAYLOAD } from "./ExportRecord.ts"
import type { ExporterName } from "./exporters.ts"
import { exportersOn, makeExporters } from "./exporters.ts"
import { makeTraffic } from "./flows.ts"
import { taken } from "./observe.ts"
import { seeded } from "./random.ts"
import { makeWorld } from "./world.ts"

const START = Date.UTC(2026, 2, 3, 9, 0, 0)
const world = makeWorld()
const sampling = new Map(makeExporters(world, START).map((exporter) => [exporter.name, exporter.sampling]))

describe("the demo's exporters", () => {
  it("between them see every dependency; what only samplers see is heavy enough to be sampled within twenty seconds", () => {
    const traffic = makeTraffic(world, START)
    const expectedSamples = new Map<string, number>()
    const label = (d: (typeof world.dependencies)[number]) => `${d.client.name} → ${d.server.name}:${d.port}`
    for (const c of traffic.until(START + 20_000)) {
      if (c.dependency === null) continue
      const rate = Math.min(...exportersOn(c.client, c.server).map((name) => sampling.get(name)!))
      const halves = [c.toServer.packets, c.toClient.packets].filter((packets) => packets > 0)
      for (const packets of halves) {
        expectedSamples.set(
          label(c.dependency),
          (expectedSamples.get(label(c.dependency)) ?? 0) + (rate === 1 ? 1 : packets / rate)
        )
      }
    }
    for (const d of world.dependencies) {
      assert.isAbove(exportersOn(d.client, d.server).length, 0, label(d))
      const unsampled = exportersOn(d.client, d.server).some((name) => sampling.get(name) === 1)
      if (!d.profile.nightly) assert.isAtLeast(expectedSamples.get(label(d)) ?? 0, unsampled ? 4 : 15, label(d))
    }
  })

  it("see some conversations once, some twice and some from two unsampled places", () => {
    const ways = world.dependencies.map((d) => exportersOn(d.client, d.server))
    const unsampled = ways.map((way) => way.filter((name) => sampling.get(name) === 1).length)
    assert.isAbove(unsampled.filter((n) => n === 1).length, 40)
    assert.isAbove(unsampled.filter((n) => n >= 2).length, 40)
    assert.isAbove(ways.filter((way) => way.length === 1).length, 5)
    const used = new Set<ExporterName>(ways.flat())
    assert.deepStrictEqual(
      [...sampling.keys()].filter((name) => !used.has(name)),
      []
    )
  })

  it("send from addresses of their own, in all four protocols, datagrams that fit a frame", () => {
    const exporters = makeExporters(world, START)
    assert.strictEqual(new Set(exporters.map((exporter) => exporter.address)).size, exporters.length)
    assert.strictEqual(new Set(exporters.map((exporter) => exporter.protocol)).size, 4)
    const traffic = makeTraffic(world, START)
    const sent = new Map<string, number>()
    for (let at = START; at <= START + 20_000; at += 250) {
      for (const c of traffic.until(at)) for (const exporter of exporters) exporter.observe(c)
      for (const exporter of exporters) {
        for (const datagram of exporter.datagrams(at)) {
          assert.isAtMost(datagram.length, exporter.protocol === "netflow5" ? 24 + 30 * 48 : MAX_PAYLOAD)
          sent.set(exporter.name, (sent.get(exporter.name) ?? 0) + 1)
        }
      }
    }
    assert.strictEqual(sent.size, exporters.length)
  })

  it("take one packet of N, neither the first ones only nor by a fixed step", () => {
    const random = seeded(11)
    let count = 0
    let first = 0
    for (let i = 0; i < 2000; i++) {
      const indices = taken(500, 50, random)
      count += indices.length
      if (indices.includes(0)) first++
      for (const index of indices) assert.isTrue(index >= 0 && index < 500)
    }
    assert.closeTo(count / 2000, 10, 0.5)
    assert.closeTo(first / 2000, 1 / 50, 0.015)
  })
})
