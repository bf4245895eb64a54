import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { defaultInternalRanges } from "#domain/Address.ts"
import type { AssetId, DependencyId } from "#domain/ids.ts"
import type { FilterInvalid, TopologyQuery } from "#domain/Topology.ts"
import { rowsOf } from "#domain/TopologyColumns.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, edge, monday, sliceOf } from "../../../test/rig/slices.ts"
import { AssetStore } from "./AssetStore.ts"
import { DependencyStore } from "./DependencyStore.ts"
import { StatsStore } from "./StatsStore.ts"
import { TopologyStore } from "./TopologyStore.ts"
import { WindowStore } from "./WindowStore.ts"

const stores = Layer.mergeAll(
  Resolver.layer({
    assets: { minFlows: 5, autoCreate: true },
    dependencies: { minFlows: 3 },
    internalRanges: defaultInternalRanges,
    serviceName: (protocol, port) => (protocol === 6 && port === 5432 ? "postgresql" : undefined)
  }),
  AssetStore.layer({ confidenceThreshold: 0.5 }),
  DependencyStore.layer({ confidenceThreshold: 0.5 }),
  TopologyStore.layer({ confidenceThreshold: 0.5, maxNodes: 5000, maxEdges: 10_000 }),
  StatsStore.layer,
  WindowStore.layer
).pipe(Layer.provideMerge(layerTestDatabase))

const write = (slice: Parameters<typeof sliceOf>[0], fields: Parameters<typeof sliceOf>[1] = {}) =>
  Resolver.use((resolver) => resolver.write(sliceOf(slice, fields)))

const names = (page: { readonly items: ReadonlyArray<{ readonly name: string }> }) => page.items.map((item) => item.name)

layer(stores, { excludeTestServices: true })("read stores", (it) => {
  it.effect(
    "show what a slice brought, and nothing of its candidates",
    Effect.fnUntraced(function* () {
      yield* write(
        collapsed([
          edge({ client: "10.2.0.10", server: "10.2.0.20", bytesToServer: 2 ** 53, flows: 20 }),
          edge({
            client: "10.2.0.11",
            server: "10.2.0.20",
            port: 443,
            flows: 8,
            bothDirections: false,
            portRank: 0,
            clientPorts: 0,
            direction: 0
          }),
          edge({ client: "203.0.113.7", server: "10.2.0.21", port: 443, flows: 9 }),
          edge({ client: "2001:db8::1", server: "10.2.0.20", flows: 6 }),
          edge({ client: "10.9.0.1", server: "10.9.0.2", flows: 2 })
        ]),
        { final: true }
      )
      const assets = yield* AssetStore.use((store) => store.page({}))
      assert.deepStrictEqual(names(assets), ["10.2.0.10", "10.2.0.11", "10.2.0.20", "10.2.0.21", "2001:db8::1", "203.0.113.7"])
      assert.strictEqual(assets.total, 6)
      const server = assets.items.find((asset) => asset.name === "10.2.0.20")!
      assert.strictEqual(server.clients, 3)
      assert.strictEqual(server.servers, 0)
      const detail = yield* AssetStore.use((store) => store.get(server.id))
      assert.deepStrictEqual(
        detail.services.map((service) => [service.port, service.name, service.clients]),
        [[5432, "postgresql", 2]]
      )
      assert.strictEqual(detail.addressHistory[0]!.address, "10.2.0.20")

      const dependencies = yield* DependencyStore.use((store) => store.page({ sort: "bytes" }))
      assert.strictEqual(dependencies.total, 4)
      const heaviest = dependencies.items[0]!
      assert.strictEqual(heaviest.bytesToServer, 2n ** 53n)
      assert.strictEqual(heaviest.client.name, "10.2.0.10")
      assert.strictEqual(heaviest.service, "postgresql")
      const why = yield* DependencyStore.use((store) => store.get(heaviest.id))
      assert.strictEqual(why.series.length, 1)
      assert.strictEqual(why.series[0]!.flows, 20n)
      assert.deepStrictEqual(
        why.exporters.map((exporter) => [exporter.address, exporter.owner, exporter.records]),
        [["192.0.2.254", true, 20n]]
      )
      assert.strictEqual(why.spans.length, 1)
      const of = yield* DependencyStore.use((store) => store.ofAsset(server.id, "server"))
      assert.strictEqual(of.length, 3)
      assert.deepStrictEqual(yield* DependencyStore.use((store) => store.ofAsset(server.id, "client")), [])
    })
  )

  it.effect(
    "page through a list by key, whatever the sort, each row once",
    Effect.fnUntraced(function* () {
      for (const sort of ["name", "type", "lastSeen", "firstSeen", "clients", "servers", "bytes"] as const) {
        for (const order of ["ascending", "descending"] as const) {
          const seen: Array<string> = []
          let after: string | undefined
          do {
            const page = yield* AssetStore.use((store) =>
              store.page({ sort, order, limit: 2, ...(after === undefined ? {} : { after }) })
            )
            assert.strictEqual(page.total, 6)
            seen.push(...page.items.map((item) => item.id))
            after = page.next
          } while (after !== undefined)
          assert.strictEqual(new Set(seen).size, 6, `${sort} ${order}`)
          assert.strictEqual(seen.length, 6, `${sort} ${order}`)
        }
      }
      for (const sort of ["lastSeen", "firstSeen", "bytes", "flows", "confidence", "port", "client", "server"] as const) {
        const first = yield* DependencyStore.use((store) => store.page({ sort, limit: 3 }))
        const second = yield* DependencyStore.use((store) => store.page({ sort, limit: 3, after: first.next! }))
        assert.strictEqual(new Set([...first.items, ...second.items].map((item) => item.id)).size, 4, sort)
        assert.isUndefined(second.next)
      }
      const bad = yield* Effect.flip(AssetStore.use((store) => store.page({ after: "WyJ4Il0" })))
      assert.strictEqual(bad._tag, "FilterInvalid")
    })
  )

  it.effect(
    "filter assets by every kind of term",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE assets SET asset_type = 'database', tags = '{prod,"a b"}', environment = 'Live', fqdn = 'db1.example.test'
        WHERE name = '10.2.0.20'`
      yield* sql`UPDATE assets SET last_seen = now(), seen_hour = date_trunc('hour', now(), 'UTC') WHERE name = '10.2.0.10'`
      const find = (filter: string) => AssetStore.use((store) => store.page({ filter })).pipe(Effect.map(names))
      assert.deepStrictEqual(yield* find("type:db"), ["10.2.0.20"])
      assert.deepStrictEqual(yield* find("type:data -10.2.0.20"), [])
      assert.strictEqual((yield* find("-type:database")).length, 5)
      assert.deepStrictEqual(yield* find("10.2.0.0/28"), ["10.2.0.10", "10.2.0.11"])
      assert.deepStrictEqual(yield* find("2001:db8::/32"), ["2001:db8::1"])
      assert.deepStrictEqual(yield* find("internal:no"), ["2001:db8::1", "203.0.113.7"])
      assert.deepStrictEqual(yield* find("port:5000-6000"), ["10.2.0.20"])
      assert.deepStrictEqual(yield* find("service:PostgreSQL"), ["10.2.0.20"])
      assert.deepStrictEqual(yield* find("tag:prod env:live db1.exam"), ["10.2.0.20"])
      assert.deepStrictEqual(yield* find('tag:"a b"'), ["10.2.0.20"])
      assert.deepStrictEqual(yield* find("seen:<1h"), ["10.2.0.10"])
      assert.strictEqual((yield* find("seen:>1h")).length, 5)
      assert.deepStrictEqual(yield* find("clients:>1"), ["10.2.0.20"])
      assert.deepStrictEqual(yield* find("confidence:>0.99"), [])
      assert.deepStrictEqual(yield* find("bytes:>1T"), ["10.2.0.10", "10.2.0.20"])
      const wrong = yield* Effect.flip(AssetStore.use((store) => store.page({ filter: "type:toaster" })))
      assert.strictEqual(wrong._tag, "FilterInvalid")
    })
  )

  it.effect(
    "filter dependencies by their own terms and those of either end",
    Effect.fnUntraced(function* () {
      const find = (filter: string) =>
        DependencyStore.use((store) => store.page({ filter, sort: "client" })).pipe(
          Effect.map((page) => page.items.map((d) => d.client.name))
        )
      assert.deepStrictEqual(yield* find("port:443"), ["10.2.0.11", "203.0.113.7"])
      assert.deepStrictEqual(yield* find("service:postgresql"), ["10.2.0.10", "2001:db8::1"])
      assert.deepStrictEqual(yield* find("server:10.2.0.21"), ["203.0.113.7"])
      assert.deepStrictEqual(yield* find("client:10.2.0.0/24 -port:443"), ["10.2.0.10"])
      assert.deepStrictEqual(yield* find("type:db internal:no"), ["2001:db8::1"])
      assert.deepStrictEqual(yield* find("state:weak"), ["10.2.0.11"])
      assert.deepStrictEqual(yield* find("protocol:udp"), [])
      assert.deepStrictEqual(yield* find("flows:>=20 confidence:>0.5"), ["10.2.0.10"])
      assert.deepStrictEqual(yield* find("seen:<5m"), [])
      assert.strictEqual((yield* find("db1")).length, 3)
    })
  )

  it.effect(
    "take whatever is typed as text, never as SQL",
    Effect.fnUntraced(function* () {
      const hostile = [
        "'; DROP TABLE assets; --",
        "\\",
        "%",
        "_",
        '"%\' OR 1=1 --"',
        "$1",
        "name:'||pg_sleep(1)||'",
        "tag:{}",
        'tag:"{\\"a\\"}"',
        "name:$$",
        "\u0001\u{1F600}\uD800",
        "10.0.0.0/8::",
        "-",
        "--",
        "(((((",
        "a".repeat(990)
      ]
      for (const filter of hostile) {
        const pages = [
          AssetStore.use((one) => Effect.asVoid(one.page({ filter }))),
          DependencyStore.use((one) => Effect.asVoid(one.page({ filter })))
        ]
        for (const page of pages) {
          const exit = yield* Effect.exit(page as Effect.Effect<void, FilterInvalid, AssetStore | DependencyStore>)
          if (exit._tag === "Failure") assert.include(String(exit.cause), "FilterInvalid", filter)
        }
        yield* AssetStore.use((store) => store.search(filter))
        yield* DependencyStore.use((store) => store.search(filter))
      }
      assert.deepStrictEqual((yield* AssetStore.use((store) => store.page({ filter: "%" }))).items, [])
      assert.deepStrictEqual((yield* AssetStore.use((store) => store.page({ filter: "name:_" }))).items, [])
    })
  )

  it.effect(
    "search by address, name and service",
    Effect.fnUntraced(function* () {
      const assets = (text: string) =>
        AssetStore.use((store) => store.search(text)).pipe(Effect.map((hits) => hits.map((hit) => hit.title)))
      assert.deepStrictEqual(yield* assets("10.2.0.2"), [])
      assert.deepStrictEqual(yield* assets("10.2.0.20"), ["10.2.0.20"])
      assert.strictEqual((yield* assets("10.2.0")).length, 4)
      assert.deepStrictEqual(yield* assets("DB1"), ["10.2.0.20"])
      const edges = yield* DependencyStore.use((store) => store.search("postgresql"))
      assert.deepStrictEqual(
        edges.map((hit) => hit.detail),
        ["5432/tcp postgresql", "5432/tcp postgresql"]
      )
    })
  )

  it.effect(
    "draw the map, cut to its limits, and filtered",
    Effect.fnUntraced(function* () {
      const topology = (query: TopologyQuery) =>
        Effect.map(
          TopologyStore.use((store) => store.get(query)),
          rowsOf
        )
      const map = yield* topology({})
      assert.strictEqual(map.nodes.length, 6)
      assert.strictEqual(map.edges.length, 4)
      assert.isTrue(map.live)
      const networks = Object.fromEntries(map.nodes.map((node) => [node.name, node.network]))
      assert.strictEqual(networks["10.2.0.10"], "10.2.0.0/24")
      assert.strictEqual(networks["203.0.113.7"], "203.0.0.0/16")
      assert.strictEqual(networks["2001:db8::1"], "2001:db8::/32")
      const heaviest = map.edges.find((one) => one.bytes > 2n ** 53n)!
      assert.closeTo(heaviest.rateBps, ((2 ** 53 + 4000) * 8) / 300, 1e6)
      const cut = yield* topology({ maxEdges: 1, maxNodes: 2 })
      assert.deepStrictEqual([cut.nodes.length, cut.edges.length, cut.nodesLeftOut, cut.edgesLeftOut], [2, 1, 4, 3])
      const filtered = yield* topology({ filter: "port:443 internal:yes" })
      assert.deepStrictEqual(filtered.nodes.map((node) => node.name).sort(), ["10.2.0.11", "10.2.0.20"])
    })
  )

  it.effect(
    "count for the overview, and account for windows",
    Effect.fnUntraced(function* () {
      const counts = yield* StatsStore.use((store) => store.counts)
      assert.deepStrictEqual(
        [counts.assets, counts.internalAssets, counts.dependencies, counts.services, counts.newDependenciesLastHour],
        [6, 4, 4, 3, 4]
      )
      const newest = yield* StatsStore.use((store) => store.newest(2))
      assert.strictEqual(newest.length, 2)
      const busiest = yield* StatsStore.use((store) => store.busiest(1))
      assert.strictEqual(busiest[0]!.name, "10.2.0.20")
      const window = yield* WindowStore.use((store) => store.newest)
      assert.deepStrictEqual([window!.start.getTime(), window!.final], [monday, true])
      const [total] = yield* WindowStore.use((store) => store.totals(10))
      assert.strictEqual(total!.flows, 45n)
      const [account] = yield* WindowStore.use((store) => store.accounts(10))
      assert.strictEqual(account!.records, account!.counted + account!.duplicates)
    })
  )

  it.effect(
    "answer for what is not there",
    Effect.fnUntraced(function* () {
      assert.strictEqual((yield* Effect.flip(AssetStore.use((store) => store.get("999999" as AssetId))))._tag, "AssetNotFound")
      assert.strictEqual(
        (yield* Effect.flip(DependencyStore.use((store) => store.get("999999999999999999" as DependencyId))))._tag,
        "DependencyNotFound"
      )
      assert.strictEqual(
        (yield* Effect.flip(DependencyStore.use((store) => store.ofAsset("999999" as AssetId, "both"))))._tag,
        "AssetNotFound"
      )
    })
  )
})
