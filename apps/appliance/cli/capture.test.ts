import { assert, describe, it } from "@effect/vitest"
import { bytes, dataSet, ipfix, ipv4, seeded, template10, uint } from "#pipeline/decode/encode.fixture.ts"
import { ethernet, ipv4Packet, ipv6Packet, udp } from "#pipeline/decode/packet.fixture.ts"
import { formatOf, splitCapture } from "./capture.ts"

const payload = Uint8Array.from({ length: 100 }, (_, i) => i)
const datagram = udp(2000, 2055, payload)
const packet = ipv4Packet(ipv4("192.0.2.7"), ipv4("192.0.2.8"), { protocol: 17 }, datagram)

interface Kind {
  readonly magic: number
  readonly little: boolean
  readonly fraction: number
}
const pcap = (kind: Kind, linkType: number, ...frames: ReadonlyArray<Uint8Array>): Uint8Array => {
  const octets: Array<number> = []
  const u32 = (value: number, little = kind.little) => octets.push(...(little ? [...uint(value, 4)].reverse() : uint(value, 4)))
  u32(kind.magic)
  u32(0x00040002)
  u32(0)
  u32(0)
  u32(65535)
  u32(linkType)
  for (const frame of frames) {
    u32(1_700_000_000)
    u32(kind.fraction)
    u32(frame.length)
    u32(frame.length)
    octets.push(...frame)
  }
  return Uint8Array.from(octets)
}
const microseconds: Kind = { magic: 0xa1b2c3d4, little: true, fraction: 250_000 }

describe("a capture file", () => {
  for (const [name, kind] of [
    ["little-endian, microseconds", microseconds],
    ["big-endian, microseconds", { ...microseconds, little: false }],
    ["little-endian, nanoseconds", { magic: 0xa1b23c4d, little: true, fraction: 250_000_000 }],
    ["big-endian, nanoseconds", { magic: 0xa1b23c4d, little: false, fraction: 250_000_000 }]
  ] as const) {
    it(`is read as pcap, ${name}`, () => {
      const file = pcap(kind, 1, ethernet(0x0800, packet), ethernet(0x0806, packet))
      assert.strictEqual(formatOf(file), "pcap")
      assert.deepStrictEqual(splitCapture(file, "pcap"), [
        { payload, source: "192.0.2.7", sourcePort: 2000, destinationPort: 2055, atMs: 1_700_000_000_250 }
      ])
    })
  }

  const six = Uint8Array.from([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  for (const [name, linkType, frame, source] of [
    ["Ethernet with a VLAN tag", 1, ethernet(0x0800, packet, 12), "192.0.2.7"],
    ["raw IPv4", 101, packet, "192.0.2.7"],
    ["raw IPv6", 101, ipv6Packet(six, six, 17, datagram), "2001:db8::1"],
    ["BSD loopback", 0, bytes().u32(0x02000000).raw(packet).done(), "192.0.2.7"],
    ["Linux cooked", 113, bytes().zeros(14).u16(0x0800).raw(packet).done(), "192.0.2.7"],
    ["Linux cooked, second version", 276, bytes().u16(0x0800).zeros(18).raw(packet).done(), "192.0.2.7"]
  ] as const) {
    it(`may hold ${name}`, () => {
      const [datagram] = splitCapture(pcap(microseconds, linkType, frame), "pcap")
      assert.deepStrictEqual([datagram?.source, datagram?.payload], [source, payload])
    })
  }

  it("has its IP fragments put together in whatever order they come", () => {
    const fragment = (offset: number, more: boolean, part: Uint8Array) =>
      ethernet(
        0x0800,
        ipv4Packet(ipv4("192.0.2.7"), ipv4("192.0.2.8"), { protocol: 17, fragmentOffset: (more ? 0x2000 : 0) | (offset / 8) }, part)
      )
    const parts = [
      fragment(48, true, datagram.subarray(48, 96)),
      fragment(96, false, datagram.subarray(96)),
      fragment(0, true, datagram.subarray(0, 48))
    ]
    const found = splitCapture(pcap(microseconds, 1, ...parts, fragment(0, true, datagram.subarray(0, 48))), "pcap")
    assert.deepStrictEqual(
      found.map((one) => one.payload),
      [payload]
    )
    const six6 = (offset: number, more: number, part: Uint8Array) =>
      ethernet(
        0x86dd,
        ipv6Packet(
          six,
          six,
          44,
          bytes()
            .u8(17)
            .u8(0)
            .u16(offset | more)
            .u32(77)
            .raw(part)
            .done()
        )
      )
    const found6 = splitCapture(
      pcap(microseconds, 1, six6(48, 0, datagram.subarray(48)), six6(0, 1, datagram.subarray(0, 48))),
      "pcap"
    )
    assert.deepStrictEqual(
      found6.map((one) => [one.source, one.payload.length]),
      [["2001:db8::1", 100]]
    )
  })

  it("is read as pcapng", () => {
    const block = (type: number, body: Uint8Array) =>
      bytes()
        .u32(type)
        .u32(body.length + 12)
        .raw(body)
        .u32(body.length + 12)
        .done()
    const frame = ethernet(0x0800, packet)
    const ticks = 1_700_000_000_250_000n
    const file = bytes()
      .raw(block(0x0a0d0d0a, bytes().u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).done()))
      .raw(block(1, bytes().u16(1).u16(0).u32(65535).done()))
      .raw(block(5, bytes().u32(0).zeros(8).done()))
      .raw(
        block(
          6,
          bytes()
            .u32(0)
            .u64(ticks)
            .u32(frame.length)
            .u32(frame.length)
            .raw(frame)
            .zeros((4 - (frame.length % 4)) % 4)
            .done()
        )
      )
      .done()
    assert.deepStrictEqual(splitCapture(file, formatOf(file)), [
      { payload, source: "192.0.2.7", sourcePort: 2000, destinationPort: 2055, atMs: 1_700_000_000_250 }
    ])
  })

  it("of IPFIX messages is split by their lengths; the rest is one last datagram", () => {
    const first = ipfix({}, template10(256, [[0, 1, 8]]))
    const second = ipfix({}, dataSet(256, uint(5, 8)))
    const file = bytes().raw(first).raw(second).raw([0, 10, 0, 200, 1]).done()
    assert.deepStrictEqual(
      splitCapture(file, "message-stream").map((one) => one.payload.length),
      [first.length, second.length, 5]
    )
  })

  it("with a fragment behind the end of its packet gives the packet without it, and a flood of fragments costs little (fuzz)", () => {
    const part = (offset: number, more: boolean, octets: Uint8Array) =>
      ethernet(0x0800, ipv4Packet(1, 2, { protocol: 17, fragmentOffset: (more ? 0x2000 : 0) | (offset / 8) }, octets))
    const parts = [
      part(0, true, datagram.subarray(0, 24)),
      part(24, true, datagram.subarray(24, 32)),
      part(8, false, datagram.subarray(8, 16))
    ]
    assert.deepStrictEqual(
      splitCapture(pcap(microseconds, 1, ...parts), "pcap").map((one) => one.payload.length),
      [8]
    )
    // each of them once put all earlier ones in order
    const same = part(0, true, datagram.subarray(0, 8))
    const flood = [part(60_000, false, datagram.subarray(0, 8)), ...new Array<Uint8Array>(20_000).fill(same)]
    const { user } = process.cpuUsage()
    assert.isEmpty(splitCapture(pcap(microseconds, 1, ...flood), "pcap"))
    assert.isBelow((process.cpuUsage().user - user) / 1000, 3000)
  })

  it("that is broken gives what can be read and never fails", () => {
    const random = seeded(5)
    const whole = pcap(microseconds, 1, ethernet(0x0800, packet), ethernet(0x0800, packet))
    assert.strictEqual(splitCapture(whole.subarray(0, whole.length - 1), "pcap").length, 1)
    for (let i = 0; i < 3000; i++) {
      const broken = Uint8Array.from(whole)
      for (let k = random.below(8); k >= 0; k--) broken[random.below(broken.length)] = random.below(256)
      if (i % 3 === 0) broken.set([0x0a, 0x0d, 0x0d, 0x0a])
      splitCapture(broken.subarray(0, random.below(broken.length)), random.pick(["pcap", "message-stream"]))
    }
  })
})
