import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import { Address } from "./Address.ts"
import { AssetId, DependencyId } from "./ids.ts"
import { type Topology, TopologyEdge, TopologyNode } from "./Topology.ts"
import { columnsOf, rowsOf, TopologyColumns } from "./TopologyColumns.ts"

const codec = Schema.toCodecJson(TopologyColumns)
const encode = Schema.encodeSync(codec)
const decode = Schema.decodeUnknownSync(codec)
/** As it goes over the wire. */
const sent = (columns: TopologyColumns) => decode(JSON.parse(JSON.stringify(encode(columns))))

const Rows = Schema.Struct({
  count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })),
  edges: Schema.Array(
    Schema.Struct({
      id: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: 2n ** 63n - 1n })),
      client: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })),
      server: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })),
      port: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })),
      protocol: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })),
      service: Schema.NullOr(Schema.String),
      bytes: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n ** 63n - 1n })),
      rateBps: Schema.Finite,
      sampled: Schema.Boolean,
      confidence: Schema.Finite,
      stale: Schema.Boolean,
      blind: Schema.optionalKey(Schema.Literals([0, 1]))
    })
  )
})

const topologyOf = ({ count, edges }: typeof Rows.Type): Topology => ({
  at: DateTime.makeUnsafe(1_700_000_000_000),
  live: true,
  nodes: Array.from(
    { length: count },
    (_, i) =>
      new TopologyNode({
        id: AssetId.make(String(i + 1)),
        name: `n${i}`,
        address: Address.make(`10.0.0.${i}`),
        type: "server",
        internal: true,
        environment: null,
        network: "10.0.0.0/24"
      })
  ),
  edges: edges.map(({ client, confidence, id, rateBps, server, ...edge }) => ({
    ...edge,
    // JSON knows no -0
    rateBps: rateBps + 0,
    confidence: confidence + 0,
    id: DependencyId.make(String(id)),
    client: AssetId.make(String((client % count) + 1)),
    server: AssetId.make(String((server % count) + 1))
  })),
  blindness: [
    { since: null, why: "never heard" },
    { since: DateTime.makeUnsafe(1_600_000_000_000), why: "silent" }
  ],
  nodesLeftOut: 3,
  edgesLeftOut: 4
})

const edge = { id: 7n, client: 0, server: 1, port: 443, protocol: 6, service: "https", bytes: 1n, rateBps: 0.5, sampled: true }
const two = columnsOf(topologyOf({ count: 2, edges: [{ ...edge, confidence: 0.9, stale: false, blind: 1 }] }))

describe("the topology's columns", () => {
  it.prop("are its rows, over the wire and back", [Rows], ([rows]) => {
    const topology = topologyOf(rows)
    assert.deepStrictEqual(rowsOf(sent(columnsOf(topology))), topology)
  })

  it("give rows that programs' schema takes for its own", () => {
    const [row] = rowsOf(two).edges
    assert.deepStrictEqual({ ...new TopologyEdge(row!) }, { ...row })
  })

  it("keep what is beyond 2^53 exact: numbers up to it, text from there on", () => {
    const bytes = BigInt64Array.of(2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -1n)
    const four = Array.from(bytes, () => ({ ...edge, confidence: 0.9, stale: false }))
    const { edges } = columnsOf(topologyOf({ count: 2, edges: four }))
    const columns = { ...two, edges: { ...edges, bytes } }
    const wire = JSON.parse(JSON.stringify(encode(columns))) as { edges: { bytes: unknown } }
    assert.deepStrictEqual(wire.edges.bytes, [9007199254740991, "9007199254740992", "9223372036854775807", -1])
    assert.deepStrictEqual(sent(columns).edges.bytes, bytes)
  })

  it("call each service once", () => {
    const named = (service: string | null) => ({ ...edge, service, confidence: 1, stale: false })
    const { edges, services } = columnsOf(topologyOf({ count: 2, edges: ["a", "b", null, "a"].map(named) }))
    assert.deepStrictEqual(
      [services, [...edges.service]],
      [
        ["a", "b"],
        [0, 1, -1, 0]
      ]
    )
  })

  const wire = JSON.parse(JSON.stringify(encode(two))) as { edges: Record<string, ReadonlyArray<unknown>> }
  const wrong: ReadonlyArray<readonly [column: string, values: unknown]> = [
    ["client", [2]],
    ["server", [-1]],
    ["service", [1]],
    ["service", [-2]],
    ["blind", [2]],
    ["port", [443, 443]],
    ["port", []],
    ["port", [443.5]],
    ["port", ["443"]],
    ["port", [2 ** 31]],
    ["port", "443"],
    ["sampled", [2]],
    ["stale", [true]],
    ["rateBps", [null]],
    ["confidence", ["0.9"]],
    ["bytes", [2 ** 53]],
    ["bytes", ["1"]],
    ["bytes", ["9223372036854775808"]],
    ["bytes", [0.5]],
    ["id", [null]]
  ]
  for (const [column, values] of wrong) {
    it(`are refused with ${column} ${JSON.stringify(values)}`, () => {
      assert.doesNotThrow(() => decode(wire))
      assert.throws(() => decode({ ...wire, edges: { ...wire.edges, [column]: values } }))
    })
  }
})
