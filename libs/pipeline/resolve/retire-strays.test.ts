import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { edge, monday, sample } from "../../../test/rig/slices.ts"
import type { Edge } from "./collapse/edges.ts"
import { drawn, everything, query, sums, write } from "./retire.fixture.ts"

/** A client's transfer to a port that the server opened for it, told before the session that arranged it. */
const strayOf = (net: string, fields: Partial<Edge> = {}) =>
  edge({ client: `${net}.1`, server: `${net}.2`, port: 50_123, portRank: 0, fanIn: 1, flows: 1, synForward: 1, ...fields })
const dataOf = (net: string, fields: Partial<Edge> = {}) =>
  edge({ client: `${net}.1`, server: `${net}.2`, port: 20, portRank: 2, companion: true, flows: 2, ...fields })

layer(everything(0), { excludeTestServices: true })("a second connection told before its first", (it) => {
  it.effect(
    "is counted for those that follow, whichever end it was drawn to, and is gone with its service",
    Effect.fnUntraced(function* () {
      const net = "10.5.0"
      const back = edge({
        client: `${net}.2`,
        server: `${net}.1`,
        port: 40_001,
        portRank: 0,
        fanIn: 1,
        flows: 1,
        bytesToServer: 77
      })
      const told = [strayOf(net), strayOf(net, { port: 50_124, flows: 2, bytesToServer: 3 }), back]
      yield* write(told, [])
      yield* write([dataOf(net)], [], monday + 300_000)
      const before = yield* sums(net)
      assert.lengthOf(yield* drawn(net), 4)
      assert.strictEqual((yield* write([], [sample(dataOf(net), 40_000)])).turnedDependencies, 3)
      const now = yield* drawn(net)
      assert.deepStrictEqual(
        now.map((one) => one.edge),
        [`${net}.1>${net}.2:20`]
      )
      assert.deepStrictEqual(yield* sums(net), before)
      assert.deepStrictEqual(
        yield* query(`SELECT port, asset_id = (SELECT target_id FROM dependencies WHERE id = ${now[0]!.id}) AS ours FROM services`),
        [{ port: 20, ours: true }]
      )
      assert.deepStrictEqual(
        yield* query(
          `SELECT total_flows::int AS flows, syn_forward::int AS syns, windows FROM dependencies WHERE id = ${now[0]!.id}`
        ),
        [{ flows: 6, syns: 2, windows: 2 }]
      )
      assert.deepStrictEqual(yield* query(`SELECT name, clients, servers FROM assets WHERE name LIKE '${net}.%' ORDER BY name`), [
        { name: `${net}.1`, clients: 0, servers: 1 },
        { name: `${net}.2`, clients: 1, servers: 0 }
      ])
    })
  )

  it.effect(
    "is something else with a third record, a second client, a name, or once the others are known",
    Effect.fnUntraced(function* () {
      const kept = {
        "10.6.0": [strayOf("10.6.0", { flows: 3 })],
        "10.6.1": [strayOf("10.6.1"), strayOf("10.6.1", { client: "10.6.1.3" })],
        "10.6.2": [strayOf("10.6.2", { port: 5060 })],
        "10.6.3": [strayOf("10.6.3", { port: 1023 })]
      }
      for (const [net, before] of Object.entries(kept)) {
        yield* write(before, [])
        yield* write([dataOf(net)], [sample(dataOf(net), 40_000)])
        assert.lengthOf(yield* drawn(net), before.length + 1, net)
      }
      yield* write([dataOf("10.6.4")], [])
      yield* write([strayOf("10.6.4")], [sample(dataOf("10.6.4"), 40_000)])
      assert.lengthOf(yield* drawn("10.6.4"), 2)
      // nothing says that these are second connections
      yield* write([strayOf("10.6.5")], [])
      const active = dataOf("10.6.5", { companion: false })
      yield* write([active], [sample(active, 40_000)])
      assert.lengthOf(yield* drawn("10.6.5"), 2)
    })
  )
})
