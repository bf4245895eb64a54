/** Volumes of the demo's dependencies, through the collector's own stages, against what the demo's world really exchanged. */
import { assert, describe, it } from "vitest"
import { makeStages } from "../../../test/lab/conclude.ts"
import { exportersOn, makeExporters } from "../demo/exporters.ts"
import { makeTraffic } from "../demo/flows.ts"
import { makeWorld } from "../demo/world.ts"

const START = Date.UTC(2026, 2, 3, 9, 0, 30)
const FLUSH_MS = 10_000

interface Volume {
  truth: number
  counted: number
  /** Whoever counts every packet passes it. */
  exact: boolean
}

/** Octets of every dependency after so many seconds, in truth and as counted; all exporters have told what they hold. */
const volumes = (seconds: number, seed: number): ReadonlyArray<Volume> => {
  const world = makeWorld()
  const exporters = makeExporters(world, START, seed)
  const rate = new Map(exporters.map(({ name, sampling }) => [name, sampling]))
  const traffic = makeTraffic(world, START, seed)
  const stages = makeStages(exporters.map((exporter) => exporter.address))
  const all = new Map<string, Volume>()
  const of = (client: string, server: string, port: number, protocol: number): Volume => {
    const key = `${client} ${server} ${port} ${protocol}`
    let known = all.get(key)
    if (known === undefined) all.set(key, (known = { truth: 0, counted: 0, exact: false }))
    return known
  }
  const end = START + seconds * 1000
  for (let at = START; at <= end + FLUSH_MS; at += 250) {
    for (const seen of at <= end ? traffic.until(at) : []) {
      for (const exporter of exporters) exporter.observe(seen)
      if (seen.dependency === null) continue
      const one = of(seen.client.address, seen.server.address, seen.serverPort, seen.protocol)
      one.truth += seen.toServer.bytes + seen.toClient.bytes
      one.exact ||= exportersOn(seen.client, seen.server).some((name) => rate.get(name) === 1)
    }
    for (const [index, exporter] of exporters.entries()) {
      for (const datagram of exporter.datagrams(at)) stages.hear(index, datagram, at)
    }
    if ((at - START) % FLUSH_MS !== 0) continue
    for (const { edges } of stages.conclude(at)) {
      for (const edge of edges)
        of(edge.client, edge.server, edge.port, edge.protocol).counted += edge.bytesToServer + edge.bytesToClient
    }
  }
  return [...all.values()].filter(({ truth }) => truth > 0)
}

describe("volumes of the demo", () => {
  for (const [seconds, seed] of [
    [30, 1],
    [90, 2],
    [330, 3]
  ] as const) {
    it(`after ${seconds} seconds of seed ${seed} are the truth where an exporter counts every packet`, () => {
      const exact = volumes(seconds, seed).filter((one) => one.exact)
      const errors = exact.map(({ truth, counted }) => Math.abs(counted / truth - 1)).sort((a, b) => a - b)
      assert.isAbove(exact.length, 150)
      assert.isBelow(errors.at(-1)!, 0.03)
    })
  }
})
