import { assert, describe, it } from "@effect/vitest"
import { bytes, ipv4, seeded } from "./encode.fixture.ts"
import { HEADER_ETHERNET, HEADER_IPV4, HEADER_IPV6, HEADER_MPLS, HEADER_PPP, makeFrame, readFrame } from "./frame.ts"
import { ethernet, ipv4Packet, ipv6Packet, tcp, udp } from "./packet.fixture.ts"

const a = ipv4("10.0.0.1")
const b = ipv4("10.0.0.2")
const six = (last: number) => bytes().u32(0x20010db8).zeros(11).u8(last).done()

const read = (octets: Uint8Array, headerProtocol: number = HEADER_ETHERNET) => {
  const frame = makeFrame()
  // Behind the header lie other octets: nothing of them may be read.
  const padded = bytes().raw(octets).raw(new Array<number>(64).fill(0xee)).done()
  readFrame(new DataView(padded.buffer), 0, octets.length, headerProtocol, frame)
  return frame
}
const facts = (octets: Uint8Array, headerProtocol?: number) => {
  const frame = read(octets, headerProtocol)
  return [frame.family, frame.protocol, frame.sourcePort, frame.destinationPort, frame.tcpFlags]
}
const segment = ipv4Packet(a, b, { protocol: 6 }, tcp(1234, 80, 0x18))

describe("the first octets of a packet", () => {
  it("give addresses, ports and flags", () => {
    const frame = read(ethernet(0x0800, segment))
    assert.deepStrictEqual(facts(ethernet(0x0800, segment)), [4, 6, 1234, 80, 0x18])
    assert.strictEqual(frame.addressAt, 14 + 12)
    assert.strictEqual(frame.ipLength, 40)
  })

  it("may be tagged, twice tagged, SNAP, PPPoE, PPP, MPLS, a pseudowire or plain IP", () => {
    const tagged = read(ethernet(0x0800, segment, 100, 200))
    assert.deepStrictEqual([tagged.vlans, tagged.vlan[0], tagged.vlan[1], tagged.destinationPort], [2, 100, 200, 80])
    const snap = bytes().u16(0xaaaa).u8(3).zeros(3).u16(0x0800).raw(segment).done()
    assert.deepStrictEqual(facts(ethernet(snap.length, snap)), [4, 6, 1234, 80, 0x18])
    const pppoe = bytes()
      .u16(0x1100)
      .u16(1)
      .u16(segment.length + 2)
      .u16(0x0021)
      .raw(segment)
      .done()
    assert.deepStrictEqual(facts(ethernet(0x8864, pppoe)), [4, 6, 1234, 80, 0x18])
    assert.deepStrictEqual(facts(bytes().u16(0xff03).u16(0x0021).raw(segment).done(), HEADER_PPP), [4, 6, 1234, 80, 0x18])
    const labels = bytes()
      .u32((1000 << 12) | 64)
      .u32((2000 << 12) | 0x100 | 64)
    const mpls = read(ethernet(0x8847, labels.raw(segment).done()))
    assert.deepStrictEqual([mpls.mpls, mpls.mplsLabels[0], mpls.mplsLabels[1], mpls.destinationPort], [2, 1000, 2000, 80])
    const wire = bytes()
      .u32((16 << 12) | 0x100)
      .u32(0)
      .raw(ethernet(0x0800, segment))
      .done()
    assert.deepStrictEqual(facts(wire, HEADER_MPLS), [4, 6, 1234, 80, 0x18])
    assert.deepStrictEqual(facts(segment, HEADER_IPV4), [4, 6, 1234, 80, 0x18])
  })

  it("have no ports in a later fragment, behind options they have", () => {
    assert.deepStrictEqual(
      facts(ethernet(0x0800, ipv4Packet(a, b, { protocol: 17, fragmentOffset: 185 }, udp(1, 2)))),
      [4, 17, 0, 0, 0]
    )
    assert.deepStrictEqual(facts(ethernet(0x0800, ipv4Packet(a, b, { protocol: 17, options: 3 }, udp(1, 2)))), [4, 17, 1, 2, 0])
  })

  it("of IPv6 may have extension headers", () => {
    const hopByHop = (next: number) => bytes().u8(next).u8(0).zeros(6)
    const authenticated = hopByHop(51).u8(44).u8(4).zeros(22).u8(17).u8(0).u16(0).u32(9).raw(udp(7, 8)).done()
    assert.deepStrictEqual(facts(ipv6Packet(six(1), six(2), 0, authenticated), HEADER_IPV6), [6, 17, 7, 8, 0])
    const later = bytes().u8(17).u8(0).u16(8).u32(9).raw(udp(7, 8)).done()
    assert.deepStrictEqual(facts(ipv6Packet(six(1), six(2), 44, later), HEADER_IPV6), [6, 17, 0, 0, 0])
  })

  it("of ICMP give type and code as destination port", () => {
    assert.deepStrictEqual(
      facts(ethernet(0x0800, ipv4Packet(a, b, { protocol: 1 }, bytes().u8(3).u8(1).done()))),
      [4, 1, 0, 0x0301, 0]
    )
    assert.deepStrictEqual(facts(ipv6Packet(six(1), six(2), 58, bytes().u8(128).u8(0).done()), HEADER_IPV6), [6, 58, 0, 0x8000, 0])
  })

  it("may end anywhere", () => {
    const whole = ethernet(0x0800, segment, 5)
    for (let length = 0; length <= whole.length; length++) {
      const frame = read(whole.subarray(0, length))
      if (length < 18 + 20) assert.strictEqual(frame.family, 0)
      else if (length < 18 + 24) assert.deepStrictEqual([frame.family, frame.sourcePort], [4, 0])
      else assert.strictEqual(frame.destinationPort, 80)
    }
  })

  it("never lead past their end, whatever they are", () => {
    const random = seeded(11)
    for (let i = 0; i < 20_000; i++) {
      const octets = random.octets(random.below(160))
      if (octets.length > 14) {
        const kind = random.pick([
          [8, 0],
          [0x86, 0xdd],
          [0x88, 0x47],
          [0x81, 0],
          [0x88, 0x64],
          [0, 40]
        ] as const)
        octets.set(kind, 12)
        if (octets.length > 20) octets[14] = random.pick([0x45, 0x60, 0x46, 0xaa, octets[14]!])
      }
      const view = new DataView(octets.buffer)
      readFrame(view, 0, octets.length, random.pick([1, 7, 11, 12, 13, 99]), makeFrame())
    }
  })
})
