import { assert, layer } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { defaultInternalRanges } from "#domain/Address.ts"
import { goodTerms } from "#domain/coverage.fixture.ts"
import type { CoverageTerms } from "#domain/coverage.ts"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { ExporterId } from "#domain/ids.ts"
import { rowsOf } from "#domain/TopologyColumns.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, edge, monday, sliceOf } from "../../../test/rig/slices.ts"
import { CoverageStore } from "./CoverageStore.ts"
import { DependencyStore } from "./DependencyStore.ts"
import { TopologyStore } from "./TopologyStore.ts"

const stores = Layer.mergeAll(
  Resolver.layer({
    assets: { minFlows: 1, autoCreate: true },
    dependencies: { minFlows: 1 },
    internalRanges: defaultInternalRanges,
    serviceName: () => undefined
  }),
  CoverageStore.layer({ windowSeconds: 300 }),
  DependencyStore.layer({ confidenceThreshold: 0.5 }),
  TopologyStore.layer({ confidenceThreshold: 0.5, maxNodes: 5000, maxEdges: 10_000 })
).pipe(Layer.provideMerge(layerTestDatabase))

const window = 300_000
const r1 = { address: "192.0.2.1", protocol: "netflow9" } as const
const r2 = { address: "192.0.2.2", protocol: "ipfix" } as const

const row = (
  of: { readonly address: string; readonly protocol: ExporterProtocol },
  n: number,
  terms: Partial<CoverageTerms> = {}
) => ({
  ...of,
  start: monday + n * window,
  terms: { ...goodTerms, ...terms }
})

const known = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO exporters (address, protocol, name, state, first_seen, last_seen) VALUES
    ('192.0.2.1', 'netflow9', 'r1', 'heard', ${new Date(monday)}, ${new Date(monday + 4 * window)}),
    ('192.0.2.2', 'ipfix', NULL, 'heard', ${new Date(monday)}, ${new Date(monday + 12 * window)}) ON CONFLICT DO NOTHING`
  yield* sql`INSERT INTO boots (boot, version, started_at, seen_at, stopped_at) VALUES
    ('00000000-0000-4000-8000-000000000001', '1', ${new Date(monday)}, ${new Date(monday + 6 * window)}, ${new Date(monday + 6 * window)}),
    ('00000000-0000-4000-8000-000000000002', '1', ${new Date(monday + 8 * window)}, ${new Date(monday + 12 * window)}, NULL)
    ON CONFLICT DO NOTHING`
  const ids = yield* sql<{ id: bigint }>`SELECT id FROM exporters ORDER BY address`
  return ids.map(({ id }) => String(id) as ExporterId)
})

const at = (n: number) => DateTime.makeUnsafe(monday + n * window)
const report = (query: { readonly exporter?: ExporterId; readonly subnet?: string; readonly cellSeconds?: number }) =>
  CoverageStore.use((store) => store.report({ ...query, from: at(0), to: at(12) }))

layer(stores, { excludeTestServices: true })("the coverage ledger", (it) => {
  it.effect(
    "tells each window of an exporter, what is missing included, and says whether we or it were away",
    Effect.fnUntraced(function* () {
      const [first] = yield* known
      const save = CoverageStore.use((store) =>
        store.save(
          [0, 1, 2, 3].map((n) => row(r1, n, n === 2 ? { sequenceLost: 250 } : n === 3 ? { sampling: 10 } : {})),
          [{ ...r1, since: monday, until: monday + 4 * window, open: false }],
          []
        )
      )
      yield* save
      // once more changes nothing
      yield* save
      const { cells, blind, observers } = yield* report({ exporter: first! })
      assert.deepStrictEqual(
        cells.map(({ state, reasons }) => [state, ...reasons]),
        [
          ["good"],
          ["good"],
          ["partial", "20 % of its datagrams lost on the way"],
          ["sampled", "samples one packet of 10"],
          ["blind", "silent"],
          ["blind", "silent"],
          ["blind", "the appliance was down"],
          ["blind", "the appliance was down"],
          ["blind", "silent"],
          ["blind", "silent"],
          ["blind", "silent"],
          ["blind", "silent"]
        ]
      )
      assert.deepStrictEqual(observers, [])
      assert.strictEqual(blind?.since?.epochMilliseconds, monday + 4 * window)
      const hours = yield* report({ exporter: first!, cellSeconds: 3600 })
      assert.deepStrictEqual(
        hours.cells.map(({ at: hour, state, seconds }) => [hour.epochMilliseconds, state, seconds]),
        [[monday, "partial", 3600]]
      )
      const nobody = yield* Effect.flip(report({ exporter: "999" as ExporterId }))
      assert.strictEqual(nobody.message, "no exporter 999")
      assert.strictEqual((yield* Effect.flip(report({}))).message, "name an exporter or a network")
    })
  )

  it.effect(
    "takes the best of the exporters that normally see a network, and not one that saw a stray record",
    Effect.fnUntraced(function* () {
      yield* known
      const seen = (subnet: string, exporter: string, records: number) => ({ subnet, exporter, records, windows: 1, at: monday })
      yield* CoverageStore.use((store) =>
        store.save(
          [row(r2, 3, { heardSeconds: 30 }), row(r2, 5)],
          [{ ...r2, since: monday + 5 * window, until: monday + 6 * window, open: false }],
          [
            seen("10.1.0.0/24", r1.address, 5000),
            seen("10.1.0.0/24", r2.address, 400),
            seen("10.2.0.0/24", r1.address, 500),
            seen("10.2.0.0/24", r2.address, 1)
          ]
        )
      )
      const both = yield* report({ subnet: "10.1.0.0/24" })
      assert.deepStrictEqual(
        both.cells.slice(3, 7).map(({ state, reasons }) => [state, ...reasons]),
        [
          ["sampled", "r1 NetFlow v9: samples one packet of 10", "192.0.2.2 IPFIX: heard for 30 of 300 s"],
          ["blind", "silent"],
          ["good"],
          ["blind", "the appliance was down"]
        ]
      )
      assert.deepStrictEqual(
        both.observers.map(({ address, name, records, looking }) => [address, name, records, looking]),
        [
          ["192.0.2.1", "r1", 5000n, false],
          ["192.0.2.2", null, 400n, false]
        ]
      )
      assert.strictEqual(both.blind?.since?.epochMilliseconds, monday + 6 * window)
      assert.strictEqual(both.blind?.why, "exporters r1, 192.0.2.2 silent since the appliance was down")
      const one = yield* report({ subnet: "10.2.0.0/24" })
      assert.deepStrictEqual(
        one.observers.map(({ address }) => address),
        ["192.0.2.1"]
      )
      assert.deepStrictEqual(one.cells[5]!.reasons, ["silent"])
      const { looking, exporters, blindSubnets, blindSince } = yield* CoverageStore.use((store) => store.summary)
      assert.deepStrictEqual([looking, exporters, blindSubnets], [0, 2, 2])
      assert.strictEqual(blindSince?.epochMilliseconds, monday + 4 * window)
    })
  )

  it.effect(
    "marks on the map what nobody looks at, then and now, and nothing before the ledger began",
    Effect.fnUntraced(function* () {
      yield* known
      const sql = yield* SqlClient.SqlClient
      const seen = (server: string, exporter: string, others: ReadonlyArray<string> = []) =>
        edge({
          client: "10.1.0.9",
          server,
          exporter,
          first: monday,
          last: monday + 11 * window,
          observers: others.map((one) => ({ exporter: one, records: 1, bytes: 1, packets: 1 }))
        })
      yield* Resolver.use((resolver) =>
        resolver.write(
          sliceOf(
            collapsed([seen("10.1.0.1", r1.address), seen("10.2.0.1", r2.address), seen("10.2.0.2", r1.address, [r2.address])])
          )
        )
      )
      const blind = (n: number | undefined) =>
        TopologyStore.use((store) => store.get(n === undefined ? {} : { at: at(n) })).pipe(
          Effect.map(rowsOf),
          Effect.map(({ blindness = [], edges, nodes }) => {
            const address = new Map(nodes.map((node) => [node.id as string, node.address]))
            return {
              edges: edges
                .flatMap((one) => (one.blind === undefined ? [] : [`${address.get(one.server)}: ${blindness[one.blind]!.why}`]))
                .sort(),
              networks: [...new Set(nodes.flatMap((node) => (node.blind === undefined ? [] : [node.network])))].sort()
            }
          })
        )
      const listed = (filter: string, n?: number) =>
        DependencyStore.use((store) => store.page({ filter }, n === undefined ? undefined : new Date(monday + n * window))).pipe(
          Effect.map(({ items }) => Object.fromEntries(items.map((one) => [one.server.address, one.blind?.why ?? null])))
        )
      // r1 looks from 0 to 4, r2 from 5 to 6
      assert.deepStrictEqual(yield* blind(1), { edges: ["10.2.0.1: exporter 192.0.2.2 silent"], networks: [] })
      assert.deepStrictEqual(yield* blind(5.5), { edges: ["10.1.0.1: exporter r1 silent"], networks: ["10.2.0.0/24"] })
      const all = yield* blind(10)
      assert.deepStrictEqual(all.networks, ["10.1.0.0/24", "10.2.0.0/24"])
      assert.strictEqual(all.edges.length, 3)
      yield* CoverageStore.use((store) =>
        store.save([], [{ ...r1, since: monday + 9 * window, until: monday + 12 * window, open: true }], [])
      )
      assert.deepStrictEqual(yield* blind(undefined), {
        edges: ["10.2.0.1: exporter 192.0.2.2 silent since the appliance was down"],
        networks: []
      })
      const [row] = yield* sql<{ id: bigint }>`SELECT id FROM dependencies WHERE host(target_address) = '10.2.0.1'`
      const detail = yield* DependencyStore.use((store) => store.get(String(row!.id) as never))
      assert.strictEqual(detail.blind?.since?.epochMilliseconds, monday + 6 * window)
      // r1 looks: what it saw alone, and what both saw, is looked at
      assert.deepStrictEqual(yield* listed("blind:yes"), { "10.2.0.1": detail.blind!.why })
      assert.deepStrictEqual(yield* listed("blind:no"), { "10.1.0.1": null, "10.2.0.2": null })
      assert.deepStrictEqual(yield* listed("-blind:yes"), yield* listed("blind:no"))
      assert.deepStrictEqual(Object.keys(yield* listed("blind:yes", 5.5)), ["10.1.0.1"])
      assert.deepStrictEqual(Object.keys(yield* listed("blind:yes", 8)).sort(), ["10.1.0.1", "10.2.0.1", "10.2.0.2"])
      assert.deepStrictEqual((yield* TopologyStore.use((store) => store.get({ filter: "blind:yes" }))).edges.id.length, 1)
      assert.deepStrictEqual(
        (yield* TopologyStore.use((store) => store.get({ filter: "blind:yes", at: at(5.5) }))).edges.id.length,
        1
      )
      const ends = yield* DependencyStore.use((store) => store.ofAsset(detail.server.id, "server"))
      assert.deepStrictEqual(
        ends.map((one) => one.blind),
        [detail.blind]
      )
      // what is stale is over, whoever looks
      yield* sql`UPDATE dependencies SET status = 'stale', stale_at = ${new Date(monday + 8 * window)} WHERE id = ${row!.id}`
      assert.deepStrictEqual(yield* listed("blind:yes"), {})
      assert.strictEqual((yield* listed(""))["10.2.0.1"], null)
      assert.include(Object.keys(yield* listed("blind:yes", 7)), "10.2.0.1")
      yield* sql`UPDATE dependencies SET status = 'active', stale_at = NULL WHERE id = ${row!.id}`
      // a start closes what an earlier run left open, at the last datagram
      yield* CoverageStore.use((store) => store.begin)
      const [closed] = yield* sql`SELECT open, until FROM coverage_span WHERE since = ${new Date(monday + 9 * window)}`
      assert.deepStrictEqual(closed, { open: false, until: new Date(monday + 9 * window) })
      yield* sql`DELETE FROM coverage_span`
      assert.deepStrictEqual(yield* blind(undefined), { edges: [], networks: [] })
      assert.deepStrictEqual(yield* listed("blind:yes"), {})
    })
  )
})
