import { assert, describe, it } from "vitest"
import { type LayoutRequest, layout } from "./layout.ts"
import { makeMemory, parsePlaces } from "./positions.ts"

const request = (count: number, extra: Partial<LayoutRequest> = {}): LayoutRequest => ({
  nodes: Array.from({ length: count }, (_, i) => ({ id: `a:${i}`, halfWidth: 40, halfHeight: 26 })),
  edges: Array.from({ length: count * 2 }, (_, i) => ({ from: i % count, to: (i * 7 + 3) % count, weight: 1 + (i % 4) })).filter(
    (e) => e.from !== e.to
  ),
  seed: 1,
  capMs: 60_000,
  ...extra
})

const overlaps = (places: ReadonlyArray<{ x: number; y: number }>) => {
  let count = 0
  for (let i = 0; i < places.length; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(places[i]!.x - places[j]!.x) < 78 && Math.abs(places[i]!.y - places[j]!.y) < 50) count++
    }
  }
  return count
}

describe("the layout", () => {
  it("gives the same picture for the same data", () => {
    assert.deepStrictEqual(layout(request(60)).places, layout(request(60)).places)
    assert.notDeepEqual(layout(request(60)).places, layout(request(60, { seed: 2 })).places)
  })

  it("leaves no two nodes on top of each other", () => {
    assert.strictEqual(overlaps(layout(request(150)).places), 0)
  })

  it("never moves a node whose place is known, and lets a new one enter beside its neighbours", () => {
    const first = request(40)
    const places = layout(first).places
    const nodes = [...first.nodes.map((node, i) => ({ ...node, at: places[i]! })), { id: "a:new", halfWidth: 40, halfHeight: 26 }]
    const next = layout({
      ...first,
      nodes,
      edges: [...first.edges, { from: 40, to: 5, weight: 2 }, { from: 40, to: 6, weight: 2 }]
    }).places
    assert.deepStrictEqual(next.slice(0, 40), places)
    const middle = { x: (places[5]!.x + places[6]!.x) / 2, y: (places[5]!.y + places[6]!.y) / 2 }
    const distance = Math.hypot(next[40]!.x - middle.x, next[40]!.y - middle.y)
    assert.isBelow(distance, 450)
    assert.strictEqual(overlaps(next), 0)
  })

  it("lets members enter where their group stood", () => {
    const nodes = [
      { id: "a:1", halfWidth: 40, halfHeight: 26, at: { x: 0, y: 0 } },
      { id: "a:2", halfWidth: 40, halfHeight: 26, near: { x: 5000, y: 100 } }
    ]
    const [, place] = layout({ nodes, edges: [], seed: 1, capMs: 1000 }).places
    assert.isBelow(Math.abs(place!.x - 5000), 300)
  })

  it("draws who serves below who needs it", () => {
    const chain = request(4, {
      edges: [
        { from: 0, to: 1, weight: 1 },
        { from: 1, to: 2, weight: 1 },
        { from: 2, to: 3, weight: 1 }
      ]
    })
    const ys = layout(chain).places.map((p) => p.y)
    assert.deepStrictEqual(
      [...ys].sort((a, b) => a - b),
      ys
    )
  })

  it("stops when its time is over, and says so", () => {
    let now = 0
    const answer = layout(request(200, { capMs: 50 }), () => (now += 30))
    assert.isTrue(answer.capped)
    assert.lengthOf(answer.places, 200)
  })
})

describe("remembered places", () => {
  it("come back per view, and unreadable ones count as none", () => {
    const kept = new Map<string, string>()
    const memory = makeMemory({
      getItem: (k) => kept.get(k) ?? null,
      setItem: (k, v) => void kept.set(k, v),
      removeItem: (k) => void kept.delete(k)
    })
    memory.write("network", new Map([["a:1", { x: 10.4, y: -3 }]]))
    assert.deepStrictEqual(memory.read("network").get("a:1"), { x: 10, y: -3 })
    assert.strictEqual(memory.read("type").size, 0)
    memory.forget("network")
    assert.strictEqual(memory.read("network").size, 0)
    assert.strictEqual(parsePlaces("{").size, 0)
    assert.strictEqual(parsePlaces('{"a:1":["x",2],"a:2":[1,2]}').size, 1)
  })

  it("survive a browser that refuses storage", () => {
    const refuse = () => {
      throw new DOMException("refused")
    }
    const memory = makeMemory({ getItem: refuse, setItem: refuse, removeItem: refuse })
    memory.write("network", new Map([["a:1", { x: 1, y: 1 }]]))
    assert.strictEqual(memory.read("network").size, 0)
  })
})
