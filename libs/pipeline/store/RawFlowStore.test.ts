import { assert, layer } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ipv4Value } from "#domain/Address.ts"
import { makeChunk, type RawChunk } from "#domain/RawChunk.ts"
import type { RawFlowQuery } from "#domain/RawFlow.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { partitionName } from "./partitions.ts"
import { RawFlowStore } from "./RawFlowStore.ts"

const now = Date.now()
const hour = 3_600_000

interface Row {
  readonly at: number
  readonly source: string
  readonly destination: string
  readonly port?: number
  readonly bytes?: number
}

const chunkOf = (rows: ReadonlyArray<Row>, exporter = "192.0.2.1"): RawChunk => {
  const chunk = makeChunk(rows.length, [exporter])
  rows.forEach((row, i) => {
    chunk.received[i] = row.at
    chunk.start[i] = row.at - 1000
    chunk.end[i] = row.at
    chunk.family[i] = 4
    chunk.source[i] = ipv4Value(row.source)!
    chunk.destination[i] = ipv4Value(row.destination)!
    chunk.sourcePort[i] = 40_000
    chunk.destinationPort[i] = row.port ?? 443
    chunk.protocol[i] = 6
    chunk.bytes[i] = row.bytes ?? 100
    chunk.packets[i] = 1
  })
  return { ...chunk, rows: rows.length }
}

const store = RawFlowStore.layer({ keep: false }).pipe(Layer.provideMerge(layerTestDatabase))

layer(store, { excludeTestServices: true })("single flow records", (it) => {
  const search = (query: RawFlowQuery) => Effect.flatMap(RawFlowStore, (raw) => raw.search(query))
  const append = (chunk: RawChunk) => Effect.flatMap(RawFlowStore, (raw) => raw.append(chunk))
  const ports = (page: { readonly items: ReadonlyArray<{ readonly destinationPort: number }> }) =>
    page.items.map((one) => one.destinationPort)

  it.effect(
    "says that none are kept, then finds them by host, network, peer, port and exporter, newest first",
    Effect.fnUntraced(function* () {
      assert.isFalse((yield* search({})).kept)
      yield* append(
        chunkOf([
          { at: now - 30 * hour, source: "10.0.0.1", destination: "10.0.1.1", port: 1 },
          { at: now - 2 * hour, source: "10.0.1.1", destination: "10.0.0.1", port: 2 },
          { at: now - 2 * hour, source: "10.0.0.2", destination: "10.0.2.1", port: 3 }
        ])
      )
      yield* append(chunkOf([{ at: now, source: "10.0.3.1", destination: "10.0.4.1", port: 4, bytes: 2 ** 60 }], "192.0.2.2"))
      assert.deepStrictEqual(ports(yield* search({})), [4, 3, 2, 1])
      assert.deepStrictEqual(ports(yield* search({ host: "10.0.0.1" })), [2, 1])
      assert.deepStrictEqual(ports(yield* search({ host: "10.0.0.0/24", peer: "10.0.2.1" })), [3])
      assert.deepStrictEqual(ports(yield* search({ port: 40_000, exporter: "192.0.2.2" })), [4])
      assert.deepStrictEqual(ports(yield* search({ port: 2, protocol: 17 })), [])
      const [first] = (yield* search({ port: 4 })).items
      assert.strictEqual(first?.octets, 2n ** 60n)
      assert.strictEqual(first?.source, "10.0.3.1")
      const window = { from: DateTime.makeUnsafe(now - 3 * hour), to: DateTime.makeUnsafe(now - hour) }
      assert.deepStrictEqual(ports(yield* search(window)), [3, 2])
      const wrong = yield* Effect.flip(search({ host: "10.0.0" }))
      assert.strictEqual(wrong.expected, "an address or a network as host")
    })
  )

  it.effect(
    "pages through thousands without repeating or skipping one, while more arrive",
    Effect.fnUntraced(function* () {
      const at = now - 5 * hour
      // many with one time: the id decides
      yield* append(
        chunkOf(
          Array.from({ length: 2500 }, (_, i) => ({ at: at + (i % 7), source: "10.9.0.1", destination: "10.9.0.2", port: 10 + i }))
        )
      )
      const seen: Array<number> = []
      let after: string | undefined
      do {
        const page = yield* search({ host: "10.9.0.1", limit: 400, ...(after === undefined ? {} : { after }) })
        seen.push(...ports(page))
        after = page.next
        yield* append(chunkOf([{ at: now, source: "10.9.0.1", destination: "10.9.0.2", port: 1 }]))
      } while (after !== undefined)
      assert.strictEqual(seen.length, 2500)
      assert.strictEqual(new Set(seen).size, 2500)
    })
  )

  it.effect(
    "polls what was not read yet by the partial index",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE flow_raw SET processed = true WHERE destination_port <> 4`
      yield* sql`ANALYZE flow_raw`
      const plan =
        yield* sql`EXPLAIN SELECT id FROM ${sql(partitionName("flow_raw", now - 5 * hour))} WHERE NOT processed ORDER BY received, id LIMIT 100`
      assert.match(plan.map((row) => row["QUERY PLAN"]).join("\n"), /Index (Only )?Scan using flow_raw_[0-9]{8}_received_id_idx1/)
    })
  )
})
