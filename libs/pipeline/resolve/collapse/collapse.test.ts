import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { randomFrom, type TestRecord } from "../../../../test/rig/flow-records.ts"
import { flow, foldedSlice, ranks, reply } from "../../../../test/rig/folded-slice.ts"
import { type CollapseOptions, collapseSlice } from "./collapse.ts"
import { makeOwners } from "./duplicate.ts"
import { makeEvidenceSampler } from "./EvidenceSampler.ts"
import type { Edge } from "./edges.ts"
import { makeServiceRegister } from "./ServiceRegister.ts"

const collapse = (records: ReadonlyArray<TestRecord>, options: Partial<CollapseOptions> = {}) =>
  collapseSlice(foldedSlice(records), { ranks, ...options })

const A = 0x0a000001

const drawn = (edges: ReadonlyArray<Edge>) =>
  edges.map((edge) => `${edge.client} → ${edge.server}:${edge.port}/${edge.protocol}`).sort()

describe("collapse", () => {
  it("draws one edge from client to server with the volume of each direction", () => {
    const { attempts, edges } = collapse([flow({}), reply(flow({ bytes: 9000, packets: 20 })), flow({ sourcePort: 40_001 })])
    assert.deepStrictEqual(drawn(edges), ["10.0.0.1 → 10.0.0.2:443/6"])
    const edge = edges[0]!
    assert.deepStrictEqual(
      [edge.flows, edge.bytesToServer, edge.bytesToClient, edge.packets, edge.bothDirections, edge.weak],
      [3, 2000, 9000, 40, true, false]
    )
    assert.deepStrictEqual([edge.exporter, edge.observers, edge.portRank, edge.clientPorts], ["192.0.2.1", [], 2, 1])
    assert.isAbove(edge.direction, 0.7)
    assert.strictEqual(attempts.length, 0)
  })

  it("draws it the same from the reply direction alone, without flags or times", () => {
    const { edges } = collapse([reply(flow({ flags: 0, destinationPort: 5432 }))])
    assert.deepStrictEqual(drawn(edges), ["10.0.0.1 → 10.0.0.2:5432/6"])
    assert.isFalse(edges[0]!.bothDirections)
    assert.strictEqual(edges[0]!.bytesToClient, 1000)
  })

  it("finds a server on a high port by the many that speak to it", () => {
    const records = Array.from({ length: 20 }, (_, i) =>
      flow({ source: 0x0a000100 + i, sourcePort: 50_100 + i * 7, destinationPort: 49_700 })
    )
    const { edges } = collapse(records.map((record, i) => (i % 2 === 0 ? record : reply(record))))
    assert.strictEqual(edges.length, 20)
    assert.isTrue(edges.every((edge) => edge.server === "10.0.0.2" && edge.port === 49_700 && edge.fanIn >= 20 && edge.fanIn < 25))
    assert.isTrue(edges.every((edge) => edge.direction > 0))
  })

  it("joins one client's many connections to a high port in one edge", () => {
    const { edges } = collapse(Array.from({ length: 9 }, (_, i) => flow({ sourcePort: 51_000 + i, destinationPort: 49_700 })))
    assert.deepStrictEqual(drawn(edges), ["10.0.0.1 → 10.0.0.2:49700/6"])
    assert.strictEqual(edges[0]!.flows, 9)
    assert.strictEqual(edges[0]!.clientPorts, 8)
  })

  it("believes a SYN more than a port: a client that happens to use a service's port", () => {
    const opened = flow({ sourcePort: 3306, destinationPort: 8999, flags: 0x02, packets: 1 })
    const { edges } = collapse([
      opened,
      reply(opened, { flags: 0x12, packets: 1 }),
      { ...opened, flags: 0x18 },
      reply(opened, { flags: 0x18 })
    ])
    assert.deepStrictEqual(drawn(edges), ["10.0.0.1 → 10.0.0.2:8999/6"])
    assert.strictEqual(edges[0]!.portRank, -2)
    assert.deepStrictEqual([edges[0]!.synForward, edges[0]!.synReverse, edges[0]!.synAckForward], [1, 0, 1])
  })

  it("draws clients below port 1024 to their server", () => {
    assert.deepStrictEqual(drawn(collapse([flow({ sourcePort: 800, destinationPort: 2049 })]).edges), [
      "10.0.0.1 → 10.0.0.2:2049/6"
    ])
    const many = Array.from({ length: 30 }, (_, i) =>
      flow({ protocol: 17, source: 0x0a000100 + i, sourcePort: 123, destinationPort: 123 })
    )
    const { edges } = collapse([...many, reply(many[0]!)])
    assert.isTrue(edges.every((edge) => edge.server === "10.0.0.2"))
  })

  it("lets what the operator declared decide", () => {
    const word = (address: string, _: number, port: number) => (address === "10.0.0.1" && port === 40_000 ? 1 : 0)
    const declared = { size: 1, word } as const
    const { edges } = collapse([flow({ flags: 0x1b })], { declared })
    assert.deepStrictEqual(drawn(edges), ["10.0.0.2 → 10.0.0.1:40000/6"])
    assert.isTrue(edges[0]!.declared)
    assert.strictEqual(edges[0]!.direction, 1)
  })

  it("keeps attempts apart: SYN alone, SYN answered by RST, RST alone", () => {
    const scan = Array.from({ length: 50 }, (_, i) =>
      flow({ destination: 0x0a000100 + i, destinationPort: 22, flags: 0x02, packets: 1 })
    )
    const refused = flow({ destinationPort: 81, flags: 0x02, packets: 1 })
    const { attempts, edges } = collapse([
      ...scan,
      refused,
      reply(refused, { flags: 0x14, packets: 1 }),
      reply(flow({ destinationPort: 23, flags: 0x14, packets: 1 }))
    ])
    assert.strictEqual(edges.length, 0)
    assert.strictEqual(attempts.length, 52)
    assert.isTrue(attempts.every((edge) => edge.attempt && edge.kind === "attempt" && edge.client === "10.0.0.1"))
    // A scanner with one source port does not become a server by the number of its victims.
    assert.isTrue(attempts.every((edge) => edge.port !== 40_000))
  })

  it("draws a connection that was accepted, whatever was tried before", () => {
    const { attempts, edges } = collapse([flow({ flags: 0x02, packets: 1 }), flow({ flags: 0x1b })])
    assert.deepStrictEqual([edges.length, attempts.length], [1, 0])
  })

  it("takes a SYN-ACK alone for what a half-open scan of an open port left in another slice, and a lone RST for the scanner's", () => {
    const half = (port: number, packets: number, change: Partial<TestRecord> = {}) =>
      reply(flow({ destinationPort: port, flags: 0x12, packets, bytes: packets * 44, ...change }))
    const left = collapse([
      half(443, 1),
      half(443, 1, { sourcePort: 40_001 }),
      half(22, 6),
      flow({ destinationPort: 80, flags: 4, packets: 1 })
    ])
    assert.deepStrictEqual(left.edges, [])
    assert.deepStrictEqual(left.attempts.map((edge) => `${edge.client} → ${edge.server}:${edge.port} ${edge.flows}`).sort(), [
      "10.0.0.1 → 10.0.0.2:22 1",
      "10.0.0.1 → 10.0.0.2:443 2",
      "10.0.0.1 → 10.0.0.2:80 1"
    ])
    // a sample says nothing of the packets beside it, and a server that repeats itself more often was heard
    const served = collapse([
      half(443, 1, { sampling: 100 }),
      half(22, 7),
      half(25, 2, { flags: 0x1a }),
      half(80, 1),
      flow({ destinationPort: 80 })
    ])
    assert.deepStrictEqual(served.edges.map((edge) => edge.port).sort(), [22, 25, 443, 80].sort())
    assert.deepStrictEqual(served.attempts, [])
  })

  it("marks UDP in one direction as weak, and groups as groups", () => {
    const { edges } = collapse([
      flow({ protocol: 17, destinationPort: 514 }),
      flow({ protocol: 17, destination: 0xe00000fb, destinationPort: 5353, sourcePort: 5353 }),
      flow({ protocol: 17, destination: 0xffffffff, sourcePort: 68, destinationPort: 67 }),
      flow({ protocol: 17, destination: 0x0a0000ff, sourcePort: 137, destinationPort: 137 }),
      flow({ protocol: 1, sourcePort: 0, destinationPort: 0x800 })
    ])
    const kinds = Object.fromEntries(edges.map((edge) => [edge.server, edge.kind]))
    assert.strictEqual(kinds["224.0.0.251"], "multicast")
    assert.strictEqual(kinds["255.255.255.255"], "broadcast")
    assert.strictEqual(kinds["10.0.0.255"], "broadcast")
    assert.isTrue(edges.some((edge) => edge.kind === "icmp" && edge.port === 0))
    assert.isTrue(edges.some((edge) => edge.kind === "dependency" && edge.weak && edge.port === 514))
  })

  it("counts a conversation of several exporters once, for the most complete, and keeps what the others saw", () => {
    const { counted, duplicates, edges } = collapse([
      flow({ exporter: 0, packets: 100, bytes: 10_000 }),
      flow({ exporter: 1, packets: 90, bytes: 9000 }),
      reply(flow({ exporter: 1, packets: 50, bytes: 5000 })),
      reply(flow({ exporter: 2, packets: 40, bytes: 4000 }))
    ])
    assert.strictEqual(edges.length, 1)
    const edge = edges[0]!
    assert.deepStrictEqual([edge.exporter, edge.exporterToClient], ["192.0.2.1", "192.0.2.2"])
    assert.deepStrictEqual([edge.bytesToServer, edge.bytesToClient, edge.flows], [10_000, 5000, 2])
    assert.deepStrictEqual(
      [...edge.observers].sort((x, y) => (x.exporter < y.exporter ? -1 : 1)),
      [
        { exporter: "192.0.2.2", records: 1, bytes: 9000, packets: 90 },
        { exporter: "192.0.2.3", records: 1, bytes: 4000, packets: 40 }
      ]
    )
    assert.deepStrictEqual([counted, duplicates], [2, 2])
  })

  it("joins the evidence of exporters: a SYN that one of them saw turns what both saw", () => {
    const high = { sourcePort: 50_200, destinationPort: 40_100 }
    const { edges } = collapse([flow({ ...high, exporter: 0, flags: 0x02, packets: 1 }), reply(flow({ ...high, exporter: 1 }))])
    assert.deepStrictEqual(drawn(edges), ["10.0.0.1 → 10.0.0.2:40100/6"])
    assert.strictEqual(edges[0]!.synForward, 1)
  })

  it("writes IPv6 in its shortest form, one owner memory over slices whose indices differ", () => {
    const owners = makeOwners()
    const v6 = (exporter: number, packets: number) => flow({ exporter, family: 6, source: 7, destination: 9, packets })
    const first = collapseSlice(foldedSlice([v6(0, 100)]), { ranks, owners })
    const second = collapseSlice(
      foldedSlice([flow({ family: 6, source: 9, destination: 1, sourcePort: 443, destinationPort: 50_000 }), v6(1, 100)]),
      {
        ranks,
        owners
      }
    )
    assert.deepStrictEqual(drawn(first.edges), ["2001:db8::7 → 2001:db8::9:443/6"])
    const again = second.edges.find((edge) => edge.client === "2001:db8::7")!
    assert.deepStrictEqual([again.flows, again.observers.length], [0, 1])
  })

  it("takes what a firewall denied for attempts, not for dependencies, also where both ends were denied", () => {
    const denied = { bytes: 0, packets: 0, flags: 0, start: 0 }
    const { attempts, edges } = collapse([
      flow(denied),
      flow({ ...denied, protocol: 17, destinationPort: 53 }),
      reply(flow(denied))
    ])
    assert.deepStrictEqual(edges, [])
    assert.deepStrictEqual(attempts.map((edge) => [edge.port, edge.flows]).sort(), [
      [443, 2],
      [53, 1]
    ])
    const seenBefore = collapse([flow(denied), flow({ exporter: 1 })])
    assert.deepStrictEqual([seenBefore.edges.length, seenBefore.attempts.length], [1, 0])
  })

  it.prop("loses no record: flows of edges and of their observers are the slice's records", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    const slice = foldedSlice(
      Array.from({ length: 300 }, () =>
        flow({
          exporter: random(3),
          family: random(4) === 0 ? 6 : 4,
          source: A + random(12),
          destination: A + random(12),
          sourcePort: [443, 53, random(65_536), 50_200][random(4)]!,
          destinationPort: [443, 53, random(65_536), 50_200][random(4)]!,
          protocol: [6, 17, 1, 47][random(4)]!,
          flags: random(64),
          packets: random(100),
          sampling: [1, 100][random(2)]!
        })
      )
    )
    const { attempts, counted, duplicates, edges } = collapseSlice(slice, { ranks })
    const all = [...edges, ...attempts]
    const sum = (read: (edge: Edge) => number) => all.reduce((total, edge) => total + read(edge), 0)
    const seen = sum((edge) => edge.observers.reduce((total, one) => total + one.records, 0))
    assert.strictEqual(
      counted,
      sum((edge) => edge.flows)
    )
    assert.strictEqual(duplicates, seen)
    assert.strictEqual(counted + duplicates, slice.records)
    const bytes = sum(
      (edge) => edge.bytesToServer + edge.bytesToClient + edge.observers.reduce((total, one) => total + one.bytes, 0)
    )
    const { bytesAb, bytesBa } = slice.columns
    assert.strictEqual(bytes, bytesAb.reduce((x, y) => x + y, 0) + bytesBa.reduce((x, y) => x + y, 0))
    // One row for each edge, whichever rows it came from.
    assert.strictEqual(new Set(drawn(all)).size, all.length)
  })

  it("comes out the same again when it could not be written, whatever was seen before", () => {
    const random = randomFrom(20)
    // few directions are remembered, so that a generation ends in the middle of a slice
    const known = {
      ranks,
      owners: makeOwners(200),
      register: makeServiceRegister(),
      sampler: makeEvidenceSampler(20)
    }
    for (let i = 0; i < 60; i++) {
      const records = Array.from({ length: 60 }, () =>
        flow({
          exporter: random(3),
          source: A + random(6),
          destination: A + 8 + random(6),
          sourcePort: [443, 123, 40_000 + random(3)][random(3)]!,
          destinationPort: [443, 123][random(2)]!,
          protocol: [6, 17][random(2)]!,
          packets: 1 + random(100),
          sampling: [1, 50][random(2)]!
        })
      )
      const slice = foldedSlice(records, { window: Math.floor(i / 3) - (random(4) === 0 ? 1 : 0) })
      const { undo, ...tried } = collapseSlice(slice, known)
      if (random(2) === 0) continue
      undo!()
      const { undo: _, ...again } = collapseSlice(slice, known)
      assert.deepStrictEqual(again, tried, `slice ${i}`)
    }
  })

  it("counts the octets of a share of a record that holds no whole packet: the record itself is in the next window", () => {
    const slice = foldedSlice([flow({ bytes: 800 })])
    for (const column of ["recordsAb", "recordsBa", "packetsAb", "packetsBa"] as const) slice.columns[column].fill(0)
    const { edges } = collapseSlice(slice, { ranks })
    assert.deepStrictEqual(
      edges.map(({ bytesToServer }) => bytesToServer),
      [800]
    )
  })
})
