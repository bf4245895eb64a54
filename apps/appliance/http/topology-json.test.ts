import { DateTime, Schema } from "effect"
import { assert, describe, it } from "vitest"
import { Address } from "#domain/Address.ts"
import { AssetId, DependencyId } from "#domain/ids.ts"
import { Topology, TopologyEdge, TopologyNode } from "#domain/Topology.ts"
import { columnsOf } from "#domain/TopologyColumns.ts"
import { topologyJson } from "./topology-json.ts"

const node = (id: number, blind?: number) =>
  new TopologyNode({
    id: AssetId.make(String(id)),
    name: `n${id} "quoted"`,
    address: Address.make(`10.0.0.${id}`),
    type: "database",
    internal: id > 1,
    environment: id > 1 ? "test" : null,
    network: "10.0.0.0/24",
    ...(blind === undefined ? {} : { blind })
  })

const edge = (id: number, fields: Partial<TopologyEdge> = {}) =>
  new TopologyEdge({
    id: DependencyId.make(String(id)),
    client: AssetId.make("1"),
    server: AssetId.make("2"),
    port: 443,
    protocol: 6,
    service: "https",
    bytes: 2n ** 60n + BigInt(id),
    rateBps: 1 / 3,
    sampled: true,
    confidence: 0.9,
    stale: false,
    ...fields
  })

describe("the map for programs", () => {
  it("is what its schema says, octet for octet", async () => {
    const topology = new Topology({
      at: DateTime.makeUnsafe(1_700_000_000_000),
      live: false,
      nodes: [node(1), node(2, 0)],
      edges: [edge(1), edge(2, { service: null, stale: true, sampled: false, bytes: 0n }), edge(3, { blind: 1 })],
      blindness: [
        { since: null, why: "never heard" },
        { since: DateTime.makeUnsafe(1_600_000_000_000), why: "silent" }
      ],
      nodesLeftOut: 1,
      edgesLeftOut: 2
    })
    const answer = topologyJson(columnsOf(topology))
    assert.strictEqual(answer.headers["content-type"], "application/json")
    assert.strictEqual(answer.body._tag, "Uint8Array")
    const text = answer.body._tag === "Uint8Array" ? new TextDecoder().decode(answer.body.body) : ""
    const codec = Schema.toCodecJson(Topology)
    assert.deepStrictEqual(Schema.decodeUnknownSync(codec)(JSON.parse(text)), topology)
    assert.deepStrictEqual(JSON.parse(text), Schema.encodeSync(codec)(topology))
  })
})
