/** The demo through the collector's own stages, without sockets and rows: what they conclude is what the world declares. */
import { assert, describe, it } from "vitest"
import { makeStages } from "../../../test/lab/conclude.ts"
import { makeExporters } from "./exporters.ts"
import { makeTraffic } from "./flows.ts"
import { demoNames } from "./hosts.ts"
import { expectedDependencies, makeWorld } from "./world.ts"

const START = Date.UTC(2026, 2, 3, 9, 0, 30)
const FLUSH_MS = 10_000

interface Found {
  /** Flow records, whoever saw them. */
  records: number
}

/** What is concluded after so many seconds of the demo. */
const conclude = (seconds: number, seed: number) => {
  const world = makeWorld()
  const exporters = makeExporters(world, START, seed)
  const traffic = makeTraffic(world, START, seed)
  const stages = makeStages(exporters.map((exporter) => exporter.address))
  const found = new Map<string, Found>()
  let duplicates = 0
  let attempts = 0
  for (let at = START; at <= START + seconds * 1000; at += 250) {
    for (const seen of traffic.until(at)) for (const exporter of exporters) exporter.observe(seen)
    for (const [index, exporter] of exporters.entries()) {
      for (const datagram of exporter.datagrams(at)) stages.hear(index, datagram, at)
    }
    if ((at - START) % FLUSH_MS !== 0) continue
    for (const collapsed of stages.conclude(at)) {
      duplicates += collapsed.duplicates
      attempts += collapsed.attempts.length
      for (const edge of collapsed.edges) {
        const key = label(edge)
        const records = edge.observers.reduce((sum, observer) => sum + observer.records, edge.flows)
        found.set(key, { records: (found.get(key)?.records ?? 0) + records })
      }
    }
  }
  return { world, found, duplicates, attempts }
}

const nameOf = (address: string) => demoNames.get(address) ?? address
const label = (d: { client: string; server: string; port: number; protocol: number }) =>
  `${nameOf(d.client)} → ${nameOf(d.server)}:${d.port}/${d.protocol}`

describe("the demo, concluded from", () => {
  for (const [seconds, seed, nightly] of [
    [20, 1, false],
    [60, 2, false],
    [180, 3, true]
  ] as const) {
    it(`${seconds} seconds of seed ${seed}: all its dependencies and no others, pointing the right way`, () => {
      const { world, found, duplicates, attempts } = conclude(seconds, seed)
      const expected = expectedDependencies(world, { nightly }).map(label)
      assert.deepStrictEqual([...found.keys()].sort(), [...expected].sort())
      for (const [key, { records }] of found) assert.isAtLeast(records, 3, key)
      assert.isAbove(duplicates, 0)
      assert.isAbove(attempts, 0)
    })
  }
})
