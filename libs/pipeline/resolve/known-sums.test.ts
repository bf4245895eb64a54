/** What is told of edges reaches the tables exactly, whichever way they take: as new ones, from the journal, or folded at once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { defaultInternalRanges } from "#domain/Address.ts"
import type { DependencyId } from "#domain/ids.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, edge, monday, sliceOf } from "../../../test/rig/slices.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"
import type { Edge } from "./collapse/edges.ts"
import { Resolver, type SliceWrite } from "./Resolver.ts"

const layerWith = (foldSeconds: number) =>
  Layer.mergeAll(
    Resolver.layer({
      assets: { minFlows: 1, autoCreate: true },
      dependencies: { minFlows: 3 },
      internalRanges: defaultInternalRanges,
      serviceName: () => undefined,
      foldSeconds
    }),
    DependencyStore.layer({ confidenceThreshold: 0.5 })
  ).pipe(Layer.provideMerge(layerTestDatabase))

const [client, server] = ["10.0.0.1", "10.0.0.2"]
const [r1, r2] = ["192.0.2.1", "192.0.2.2"]
const minutes = 60_000

const sample = (first: number, change: Partial<EvidenceSample> = {}): EvidenceSample => ({
  client,
  server,
  port: 5432,
  protocol: 6,
  a: client,
  b: server,
  aPort: 40_000 + (first % 1000),
  bPort: 5432,
  ports: 1,
  recordsAb: 1,
  recordsBa: 1,
  bytesAb: 500,
  bytesBa: 900,
  packetsAb: 5,
  packetsBa: 6,
  flagsAb: 0x1b,
  flagsBa: 0x1b,
  sampling: 1,
  exporter: r1,
  first,
  last: first + 1000,
  ...change
})

const written = (edges: ReadonlyArray<Edge>, fields: Partial<SliceWrite> = {}, samples: ReadonlyArray<EvidenceSample> = []) =>
  Effect.gen(function* () {
    const slice = collapsed(edges)
    const savings = edges.flatMap((one) => one.observers.map(({ bytes, exporter, records }) => ({ exporter, records, bytes })))
    const result = yield* (yield* Resolver).write(sliceOf({ ...slice, savings, samples }, fields))
    assert.isTrue(result.written)
    return result
  })

const only = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: bigint }>`SELECT id FROM dependencies`
  assert.strictEqual(rows.length, 1)
  return yield* (yield* DependencyStore).get(String(rows[0]!.id) as DependencyId)
})

describe("what is told of a known edge", () => {
  for (const foldSeconds of [0, 60]) {
    it.live(`is in the tables to the octet, its evidence with it (folded after ${foldSeconds} s)`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const resolver = yield* Resolver
        let records = 0
        let bytes = 0
        let packets = 0
        let own = 0
        for (let n = 0; n < 6; n++) {
          const windowStart = monday + Math.floor(n / 2) * 5 * minutes
          const observer = { exporter: r2, records: 2 + n, bytes: 1001 * (n + 1), packets: 7 + n }
          records += observer.records
          bytes += observer.bytes
          packets += observer.packets
          own += 5000
          const one = edge({
            client,
            server,
            exporter: r1,
            fanIn: n === 3 ? 13 : 4,
            fanInAgainst: 1,
            first: windowStart,
            last: windowStart + minutes,
            observers: [observer]
          })
          // the last window ends
          yield* written([one], { windowStart, final: n === 5 }, [sample(windowStart + n)])
          if (n === 3) yield* resolver.fold(true)
          const detail = yield* only
          assert.deepStrictEqual(
            [detail.direction.fanIn, detail.direction.fanInAgainst],
            [foldSeconds === 0 && n >= 3 ? 13 : n < 3 ? 4 : 13, 1]
          )
        }
        const detail = yield* only
        assert.deepStrictEqual(
          detail.exporters.map((one) =>
            [one.address, one.owner, one.records, one.bytes, one.sparedRecords, one.sparedBytes].map(String)
          ),
          [[r1, true, 60, own, 0, 0].map(String), [r2, false, records, bytes, records, bytes].map(String)]
        )
        const [seen] = yield* sql<{ packets: bigint }>`SELECT packets FROM dependency_exporter WHERE exporter = ${r2}::inet`
        assert.strictEqual(Number(seen!.packets), packets)
        assert.deepStrictEqual(
          yield* sql`SELECT exporter, sum(records)::float8 AS records, sum(bytes)::float8 AS bytes FROM exporter_savings GROUP BY exporter`,
          [{ exporter: r2, records, bytes }]
        )
        // the first and the latest of one hour
        assert.deepStrictEqual(
          detail.evidence.map((one) => [one.clientAddress, one.clientPort]),
          [
            [client, 40_000 + (monday % 1000)],
            [client, 40_000 + ((monday + 10 * minutes + 5) % 1000)]
          ]
        )
      }).pipe(Effect.provide(layerWith(foldSeconds)))
    )
  }

  it.live("names an exporter once that owns one direction and observes the other, with what it said twice", () =>
    Effect.gen(function* () {
      const observers = [{ exporter: r1, records: 3, bytes: 300, packets: 3 }]
      yield* written([edge({ client, server, exporter: r1, observers })])
      yield* written([edge({ client, server, exporter: r1 })], { final: true })
      const before = yield* only
      const told = before.exporters.map((one) => [one.address, one.records, one.bytes, one.sparedRecords].map(String).join(" "))
      assert.deepStrictEqual(told, [`${r1} 23 10300 3`])
      // another one comes: what stood in the dependency alone is in its row, too
      const second = [{ exporter: r2, records: 1, bytes: 60, packets: 1 }]
      yield* written([edge({ client, server, exporter: r1, observers: second })], {
        windowStart: monday + 5 * minutes,
        final: true
      })
      const after = yield* only
      assert.deepStrictEqual(
        after.exporters.map((one) => [one.address, one.records, one.bytes, one.sparedRecords].map(String).join(" ")),
        [`${r1} 33 15300 3`, `${r2} 1 60 1`]
      )
    }).pipe(Effect.provide(layerWith(60)))
  )

  it.live("keeps evidence of a dependency that stands the other way round than the slice has it", () =>
    Effect.gen(function* () {
      yield* written([edge({ client, server, port: 7000 })], { final: true }, [
        sample(monday, { client: server, server: client, port: 7000, aPort: 7000, bPort: 7000 })
      ])
      const [one] = (yield* only).evidence
      assert.deepStrictEqual([one?.clientAddress, one?.serverAddress, one?.bytesToServer].map(String), [client, server, "500"])
    }).pipe(Effect.provide(layerWith(60)))
  )

  it.live("is written, though both ways to draw it have no flow that counts", () =>
    Effect.gen(function* () {
      const guess = { port: 7000, portRank: 0, direction: 0.1 } as const
      yield* written([edge({ client, server, ...guess, flows: 1 })])
      const idle = { ...guess, flows: 0, bytesToServer: 0, bytesToClient: 0, packets: 0 }
      yield* written([edge({ client, server, ...idle }), edge({ client: server, server: client, ...idle })])
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(yield* sql`SELECT total_flows::int AS flows FROM dependencies`, [{ flows: 1 }])
    }).pipe(Effect.provide(layerWith(60)))
  )
})
