import { DateTime } from "effect"
import { assert, describe, it } from "vitest"
import { Address } from "#domain/Address.ts"
import type { AssetType } from "#domain/Asset.ts"
import { AssetId, DependencyId } from "#domain/ids.ts"
import { Topology, TopologyEdge, TopologyNode } from "#domain/Topology.ts"
import { widened } from "./grouping.ts"
import { foldedText, makeScene, widthOf } from "./scene.ts"
import { highlight, resolveSelection, walk } from "./select.ts"

const node = (id: number, address: string, network: string, type: AssetType = "server", internal = true) =>
  new TopologyNode({
    id: AssetId.make(String(id)),
    name: `n${id}`,
    address: Address.make(address),
    type,
    internal,
    environment: null,
    network
  })

const edge = (id: number, client: number, server: number, rateBps = 1000, stale = false) =>
  new TopologyEdge({
    id: DependencyId.make(String(id)),
    client: AssetId.make(String(client)),
    server: AssetId.make(String(server)),
    port: 443,
    protocol: 6,
    service: "https",
    bytes: BigInt(rateBps) * 10n,
    rateBps,
    sampled: false,
    confidence: 0.9,
    stale
  })

const topology = (nodes: ReadonlyArray<TopologyNode>, edges: ReadonlyArray<TopologyEdge>) =>
  new Topology({ at: DateTime.makeUnsafe(0), live: true, nodes, edges, nodesLeftOut: 0, edgesLeftOut: 0 })

const web = [node(1, "10.1.0.1", "10.1.0.0/24"), node(2, "10.1.0.2", "10.1.0.0/24")]
const db = [node(3, "10.2.0.1", "10.2.0.0/24", "database"), node(4, "10.2.0.2", "10.2.0.0/24", "database")]
const out = [node(5, "198.51.100.1", "198.51.0.0/16", "unknown", false), node(6, "203.0.113.1", "203.0.0.0/16", "unknown", false)]
const small = topology(
  [...web, ...db, ...out],
  [edge(1, 1, 3, 5e5), edge(2, 2, 4, 6e5), edge(3, 5, 1, 10, true), edge(4, 3, 4), edge(5, 6, 2, 20)]
)

describe("the map's scene", () => {
  it("starts with groups and counts, external apart, parallel lines merged with summed volume", () => {
    const scene = makeScene(small, { grouping: "network", open: new Set() })
    assert.deepStrictEqual(
      scene.nodes.map((n) => [n.id, n.letters, n.external]),
      [
        ["g:net:10.1.0.0/24", "2", false],
        ["g:net:10.2.0.0/24", "2", false],
        ["g:outside", "2", true]
      ]
    )
    const line = scene.edges.find((e) => e.to === "g:net:10.2.0.0/24")!
    assert.deepStrictEqual([line.dependencies.length, line.rateBps, line.bytes, line.width], [2, 1.1e6, 11_000_000n, 3])
    assert.deepStrictEqual(
      scene.nodeById.get("g:net:10.2.0.0/24")!.inside.map((e) => e.id as string),
      ["4"]
    )
  })

  it("opens a group in place and keeps the others closed", () => {
    const scene = makeScene(small, { grouping: "network", open: new Set(["net:10.2.0.0/24"]) })
    assert.deepStrictEqual(
      scene.nodes.map((n) => n.id),
      ["a:3", "a:4", "g:net:10.1.0.0/24", "g:outside"]
    )
    assert.strictEqual(scene.nodeById.get("a:3")!.parent, "g:net:10.2.0.0/24")
    assert.isTrue(scene.edgeById.has("d:4"))
  })

  it("shows a network with one member as that member", () => {
    const scene = makeScene(small, { grouping: "network", open: new Set(["outside"]) })
    assert.includeMembers(
      scene.nodes.map((n) => n.id),
      ["a:5", "a:6"]
    )
  })

  it("does not depend on the order in which the appliance told it", () => {
    const turned = topology([...small.nodes].reverse(), [...small.edges].reverse())
    const ids = (t: Topology) => {
      const s = makeScene(t, { grouping: "none", open: new Set() })
      return [s.nodes.map((n) => n.id), s.edges.map((e) => e.id)]
    }
    assert.deepStrictEqual(ids(turned), ids(small))
  })

  it("shows only one family when the legend says so, and still counts all", () => {
    const scene = makeScene(small, { grouping: "none", open: new Set(), only: "data" })
    assert.deepStrictEqual(
      scene.nodes.map((n) => n.id),
      ["a:3", "a:4"]
    )
    assert.strictEqual(scene.legend.find((l) => l.family === "external")!.count, 2)
    assert.strictEqual(scene.legend.find((l) => l.family === "compute")!.count, 2)
  })

  it("never draws more than the limit, keeps the busiest, and says what it grouped", () => {
    const nodes = Array.from({ length: 900 }, (_, i) => node(i + 1, `10.7.${i >> 8}.${i & 255}`, `10.7.${i >> 8}.0/24`))
    const edges = Array.from({ length: 899 }, (_, i) => edge(i + 1, i + 1, i + 2, i + 1))
    const scene = makeScene(topology(nodes, edges), { grouping: "none", open: new Set() })
    assert.isAtMost(scene.nodes.length, 400)
    assert.isTrue(scene.nodeById.has("a:890"))
    assert.strictEqual(
      scene.nodes.reduce((sum, n) => sum + n.members.length, 0),
      900
    )
    assert.match(foldedText(scene)!, /^Grouped to stay below 400 nodes: the quietest \d+ of 10\.7/)
  })

  it("widens the prefixes when there are too many networks to begin with", () => {
    const nodes = Array.from({ length: 400 }, (_, i) =>
      node(i + 1, `10.${i >> 7}.${(i >> 1) & 255}.${(i & 1) + 1}`, `10.${i >> 7}.${(i >> 1) & 255}.0/24`)
    )
    const scene = makeScene(topology(nodes, []), { grouping: "network", open: new Set() })
    assert.isAtMost(scene.nodes.length, 64)
    assert.strictEqual(widened("10.2.30.0/24", 1), "10.2.0.0/16")
    assert.strictEqual(widened("10.2.0.0/16", 1), undefined)
    assert.strictEqual(widened("fd00:2:10:7::/64", 1), "fd00:2:10::/48")
  })

  it("has four widths by decades of rate", () => {
    assert.deepStrictEqual([0, 9_999, 10_000, 5e6, 2e8].map(widthOf), [1, 1, 2, 3, 4])
  })
})

describe("a selection", () => {
  const scene = makeScene(small, { grouping: "none", open: new Set() })

  it("tells who needs the selected from whom it needs", () => {
    const { nodes, edges } = highlight(scene, "a:3")
    assert.deepStrictEqual(
      [nodes.get("a:3"), nodes.get("a:1"), nodes.get("a:4"), nodes.get("a:2")],
      ["self", "downstream", "upstream", undefined]
    )
    assert.deepStrictEqual([edges.get("d:1"), edges.get("d:4"), edges.get("d:2")], ["downstream", "upstream", undefined])
  })

  it("falls on the group that hides an asset, and on the line that holds a dependency", () => {
    const grouped = makeScene(small, { grouping: "network", open: new Set() })
    assert.strictEqual(resolveSelection(grouped, "a:3")?.node?.id, "g:net:10.2.0.0/24")
    assert.strictEqual(resolveSelection(grouped, "d:1")?.edge?.to, "g:net:10.2.0.0/24")
    assert.isUndefined(resolveSelection(grouped, "a:77"))
  })

  it("walks along lines only, in the direction of the arrow", () => {
    const at = new Map([
      ["a:1", { x: 0, y: 0 }],
      ["a:3", { x: 0, y: 100 }],
      ["a:5", { x: 0, y: -100 }],
      ["a:2", { x: 50, y: 0 }]
    ])
    assert.deepStrictEqual(
      [walk(scene, at, "a:1", "down"), walk(scene, at, "a:1", "up"), walk(scene, at, "a:1", "right")],
      ["a:3", "a:5", undefined]
    )
  })
})

describe("what nobody looks at", () => {
  const blindness = [{ since: DateTime.makeUnsafe(0), why: "exporter r2 silent" }]
  const blind = (one: TopologyNode) => new TopologyNode({ ...one, blind: 0 })
  const unseen = (one: TopologyEdge) => new TopologyEdge({ ...one, blind: 0 })
  const dark = node(9, "10.9.0.1", "10.9.0.0/24")
  const map = (nodes: ReadonlyArray<TopologyNode>, edges: ReadonlyArray<TopologyEdge>) =>
    new Topology({ at: DateTime.makeUnsafe(0), live: true, nodes, edges, nodesLeftOut: 0, edgesLeftOut: 0, blindness })

  it("is a group all of whose members are blind, and a line none of whose living dependencies is seen", () => {
    const seen = map([...web, blind(dark)], [unseen(edge(1, 1, 9)), edge(2, 2, 9, 1000, true)])
    const scene = makeScene(seen, { grouping: "network", open: new Set() })
    assert.deepStrictEqual(
      scene.nodes.map(({ label, blind }) => [label, blind]),
      [
        ["n9", true],
        ["10.1.0.0/24", false]
      ]
    )
    assert.deepStrictEqual(
      scene.edges.map(({ blind, stale }) => [blind, stale]),
      [[true, false]]
    )
    assert.strictEqual(scene.blindness[0]!.why, "exporter r2 silent")
  })

  it("is no line of which one dependency is seen, and none of which all are stale", () => {
    const some = makeScene(map([...web, dark], [unseen(edge(1, 1, 9)), edge(2, 2, 9)]), { grouping: "network", open: new Set() })
    const stale = makeScene(map([...web, dark], [edge(1, 1, 9, 1, true)]), { grouping: "network", open: new Set() })
    assert.deepStrictEqual(
      [...some.edges, ...stale.edges].map((line) => line.blind),
      [false, false]
    )
  })

  it("is not told when the coverage is switched off", () => {
    const scene = makeScene(map([blind(dark), ...web], [unseen(edge(1, 1, 9))]), {
      grouping: "none",
      open: new Set(),
      coverage: false
    })
    assert.isFalse(scene.nodes.some((one) => one.blind) || scene.edges.some((one) => one.blind))
    assert.deepStrictEqual(scene.blindness, [])
  })
})
