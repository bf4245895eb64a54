import { assert, describe, it } from "@effect/vitest"
import { type Bytes, bytes, dataSet, ipfix, ipv4, seeded, template10 } from "./encode.fixture.ts"
import { makeFrame, readFrame } from "./frame.ts"
import { ethernet, expandedFlowSample, flowSample, ipv4Packet, ipv6Packet, rawHeader, sflow, tcp, udp } from "./packet.fixture.ts"
import { makeBench } from "./rows.fixture.ts"
import { enterTunnels } from "./tunnel.ts"

const outerA = ipv4("192.0.2.1")
const outerB = ipv4("192.0.2.2")
const innerA = ipv4("10.0.0.1")
const innerB = ipv4("10.0.0.2")
const six = (last: number) => bytes().u32(0x20010db8).zeros(11).u8(last).done()

/** 1,234 octets of which the headers are there. */
const innerPacket = ipv4Packet(innerA, innerB, { protocol: 6, length: 1234 }, tcp(40_000, 443, 0x02))
const innerFrame = ethernet(0x0800, innerPacket, 7)
const inner6 = ipv6Packet(six(1), six(2), 6, tcp(40_000, 443, 0x02))

const over = (protocol: number, payload: Uint8Array) =>
  ethernet(0x0800, ipv4Packet(outerA, outerB, { protocol }, payload), 100, 200)
const overUdp = (port: number, ...parts: ReadonlyArray<Uint8Array>) =>
  over(17, parts.reduce<Bytes>((all, part) => all.raw(part), bytes().raw(udp(51_000, port))).done())
const gre = (flags: number, type: number, extra: number, payload: Uint8Array) =>
  over(47, bytes().u16(flags).u16(type).zeros(extra).raw(payload).done())
const vxlan = bytes().u8(8).zeros(3).u32(0x100).done()

const tunnels: ReadonlyArray<readonly [name: string, packet: Uint8Array]> = [
  ["IP in IP", over(4, innerPacket)],
  ["GRE", gre(0, 0x0800, 0, innerPacket)],
  ["GRE with checksum, key and sequence number", gre(0xb000, 0x0800, 12, innerPacket)],
  ["Ethernet in GRE", gre(0x2000, 0x6558, 4, innerFrame)],
  [
    "MPLS in GRE",
    gre(
      0,
      0x8847,
      0,
      bytes()
        .u32((99 << 12) | 0x100)
        .raw(innerPacket)
        .done()
    )
  ],
  [
    "MPLS in IP",
    over(
      137,
      bytes()
        .u32((99 << 12) | 0x100)
        .raw(innerPacket)
        .done()
    )
  ],
  ["VXLAN", overUdp(4789, vxlan, innerFrame)],
  ["VXLAN on the port of Linux", overUdp(8472, vxlan, innerFrame)],
  ["VXLAN GPE with IP", overUdp(4790, bytes().u8(0x0c).zeros(2).u8(1).u32(0x100).done(), innerPacket)],
  ["Geneve with options", overUdp(6081, bytes().u8(2).u8(0).u16(0x6558).u32(0x100).zeros(8).done(), innerFrame)],
  ["GTP-U", overUdp(2152, bytes().u8(0x30).u8(255).u16(1234).u32(7).done(), innerPacket)],
  [
    "GTP-U with an extension header",
    overUdp(2152, bytes().u8(0x34).u8(255).u16(1242).u32(7).u16(1).u8(0).u8(0x85).u8(1).u16(0).u8(0).done(), innerPacket)
  ],
  ["GRE in IP in IP", over(4, ipv4Packet(outerB, outerA, { protocol: 47 }, bytes().u16(0).u16(0x0800).raw(innerPacket).done()))]
]

const sample = (packet: Uint8Array) => sflow({}, flowSample({ rate: 100, input: 1, output: 2 }, rawHeader(packet, 1400)))

describe("a sampled packet of a tunnel", () => {
  for (const [name, packet] of tunnels) {
    it(`is the conversation inside, counted once with its own length: ${name}`, () => {
      const bench = makeBench()
      const outcome = bench.feed(sample(packet))
      assert.deepStrictEqual([outcome.tunnelled, outcome.malformed], [1, ""])
      const rows = bench.take()
      assert.strictEqual(rows.length, 1)
      const [row] = rows
      assert.deepStrictEqual(
        [
          row!.source,
          row!.destination,
          row!.sourcePort,
          row!.destinationPort,
          row!.protocol,
          row!.tcpFlags,
          row!.bytes,
          row!.packets
        ],
        ["10.0.0.1", "10.0.0.2", 40_000, 443, 6, 2, 1234, 1]
      )
    })
  }

  it("may hold IPv6, in an expanded sample too", () => {
    const bench = makeBench()
    bench.feed(sflow({}, expandedFlowSample({ rate: 1, input: 1, output: 2 }, rawHeader(over(41, inner6), 200))))
    const [row] = bench.take()
    assert.deepStrictEqual([row?.family, row?.source, row?.destinationPort, row?.bytes], [6, "2001:db8::1", 443, 60])
  })

  it("is the outer one where the inner cannot be seen: cut off, encrypted, mirrored, a fragment, or only by its port a tunnel", () => {
    const rowOf = (packet: Uint8Array) => {
      const bench = makeBench()
      const { tunnelled } = bench.feed(sample(packet))
      const [row] = bench.take()
      assert.strictEqual(tunnelled, 0)
      assert.strictEqual(row?.source, "192.0.2.1")
      return [row?.protocol, row?.destinationPort]
    }
    const whole = overUdp(4789, vxlan, innerFrame)
    const innerIp = whole.length - innerPacket.length
    assert.deepStrictEqual(rowOf(whole.subarray(0, innerIp + 19)), [17, 4789])
    assert.deepStrictEqual(rowOf(over(50, innerPacket)), [50, 0])
    assert.deepStrictEqual(rowOf(gre(0x1000, 0x88be, 4, bytes().zeros(8).raw(innerFrame).done())), [47, 0])
    const fragment = ipv4Packet(outerA, outerB, { protocol: 4, fragmentOffset: 100 }, innerPacket)
    assert.deepStrictEqual(rowOf(ethernet(0x0800, fragment)), [4, 0])
    assert.deepStrictEqual(rowOf(overUdp(4789, bytes().zeros(8).done(), innerFrame)), [17, 4789])
    assert.deepStrictEqual(rowOf(overUdp(2152, bytes().u8(0x32).u8(1).u16(4).u32(0).done(), innerPacket)), [17, 2152])
  })

  it("in IPFIX frame and packet sections is the conversation inside as well", () => {
    const frame = overUdp(4789, vxlan, innerFrame)
    for (const [element, section] of [
      [315, frame],
      [313, frame.subarray(22)]
    ] as const) {
      const bench = makeBench()
      const outcome = bench.feed(ipfix({}, template10(256, [[0, element, section.length]]), dataSet(256, section)))
      assert.strictEqual(outcome.tunnelled, 1)
      const [row] = bench.take()
      assert.deepStrictEqual([row?.source, row?.destinationPort, row?.bytes], ["10.0.0.1", 443, 1234])
    }
  })

  it("never leads past its end, whatever it holds", () => {
    const random = seeded(23)
    for (let i = 0; i < 30_000; i++) {
      const octets = Uint8Array.from(random.pick(tunnels)[1])
      for (let n = random.below(8); n >= 0; n--)
        octets[random.below(octets.length)] = random.pick([0, 1, 4, 8, 47, 255, random.u32() & 255])
      const length = random.below(octets.length + 1)
      const frame = makeFrame()
      // A view that ends where the packet does: one octet more would throw.
      const view = new DataView(octets.buffer, 0, length)
      readFrame(view, 0, length, 1, frame)
      assert.isAtMost(enterTunnels(view, length, frame), 4)
      if (frame.family !== 0) assert.isAtMost(frame.addressAt + (frame.family === 4 ? 8 : 32), length)
    }
  })
})
