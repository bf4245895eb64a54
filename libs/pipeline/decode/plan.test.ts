import { assert, describe, it } from "@effect/vitest"
import { dataSet, EXPORT_SECONDS, type Field, ipfix, ipv4, optionsTemplate10, template10, uint } from "./encode.fixture.ts"
import { ethernet, ipv4Packet, tcp } from "./packet.fixture.ts"
import { decodeOne, makeBench } from "./rows.fixture.ts"

const ntp = (ms: number) => [
  ...uint(Math.floor(ms / 1000) + 2208988800, 4),
  ...uint(Math.floor(((ms % 1000) / 1000) * 4294967296), 4)
]

describe("what the fields of a template say", () => {
  it("takes the inner of two headers, the outer where the inner is empty", () => {
    const twice: ReadonlyArray<Field> = [
      [0, 4, 1],
      [0, 7, 2],
      [0, 11, 2],
      [0, 4, 1],
      [0, 7, 2],
      [0, 11, 2]
    ]
    const inner = decodeOne(twice, 4, 0, 0, 0, 0, 17, 4, 0, 3, 94).row
    assert.deepStrictEqual([inner.protocol, inner.sourcePort, inner.destinationPort], [17, 1024, 862])
    const outer = decodeOne(twice, 6, 0, 80, 1, 187, 0, 0, 0, 0, 0).row
    assert.deepStrictEqual([outer.protocol, outer.sourcePort, outer.destinationPort], [6, 80, 443])
  })

  const exportMs = EXPORT_SECONDS * 1000
  for (const [name, fields, octets, start, end] of [
    [
      "milliseconds",
      [
        [0, 152, 8],
        [0, 153, 8]
      ],
      [...uint(exportMs - 2500, 8), ...uint(exportMs - 500, 8)],
      exportMs - 2500,
      exportMs - 500
    ],
    [
      "seconds",
      [
        [0, 150, 4],
        [0, 151, 4]
      ],
      [...uint(EXPORT_SECONDS - 3, 4), ...uint(EXPORT_SECONDS - 1, 4)],
      exportMs - 3000,
      exportMs - 1000
    ],
    [
      "microseconds",
      [
        [0, 154, 8],
        [0, 155, 8]
      ],
      [...ntp(exportMs - 2500), ...ntp(exportMs - 500)],
      exportMs - 2500,
      exportMs - 500
    ],
    [
      "nanoseconds",
      [
        [0, 156, 8],
        [0, 157, 8]
      ],
      [...ntp(exportMs - 2500), ...ntp(exportMs - 500)],
      exportMs - 2500,
      exportMs - 500
    ],
    [
      "microseconds before export",
      [
        [0, 158, 4],
        [0, 159, 4]
      ],
      [...uint(2_500_000, 4), ...uint(500_000, 4)],
      exportMs - 2500,
      exportMs - 500
    ],
    [
      "an end and a duration in milliseconds",
      [
        [0, 153, 8],
        [0, 161, 4]
      ],
      [...uint(exportMs - 500, 8), ...uint(2000, 4)],
      exportMs - 2500,
      exportMs - 500
    ],
    [
      "a start and a duration in microseconds",
      [
        [0, 152, 8],
        [0, 162, 4]
      ],
      [...uint(exportMs - 2500, 8), ...uint(2_000_000, 4)],
      exportMs - 2500,
      exportMs - 500
    ],
    ["one moment of observation", [[0, 323, 8]], uint(exportMs - 500, 8), exportMs - 500, exportMs - 500],
    [
      "a start and the time of the event",
      [
        [0, 152, 8],
        [0, 323, 8]
      ],
      [...uint(exportMs - 2500, 8), ...uint(exportMs - 500, 8)],
      exportMs - 2500,
      exportMs - 500
    ],
    [
      "uptimes with the system's start in the record",
      [
        [0, 22, 4],
        [0, 21, 4],
        [0, 160, 8]
      ],
      [...uint(1000, 4), ...uint(3000, 4), ...uint(exportMs - 10_000, 8)],
      exportMs - 9000,
      exportMs - 7000
    ],
    [
      "uptimes without the system's start",
      [
        [0, 22, 4],
        [0, 21, 4]
      ],
      [...uint(1000, 4), ...uint(3000, 4)],
      0,
      0
    ],
    [
      "an empty end",
      [
        [0, 152, 8],
        [0, 153, 8]
      ],
      [...uint(exportMs - 2500, 8), ...uint(0, 8)],
      exportMs - 2500,
      exportMs - 2500
    ]
  ] as const) {
    it(`places a flow by ${name}`, () => {
      const { row } = decodeOne(fields, ...octets)
      assert.closeTo(row.start, start, 1)
      assert.closeTo(row.end, end, 1)
    })
  }

  it("places uptimes once options data has told when the system started, also after 49 days", () => {
    const bench = makeBench()
    const system = EXPORT_SECONDS * 1000 - 60 * 86_400_000
    const uptime = (60 * 86_400_000) % 4294967296
    bench.feed(ipfix({}, optionsTemplate10(300, [[0, 149, 4]], [[0, 160, 8]]), dataSet(300, [0, 0, 0, 1, ...uint(system, 8)])))
    bench.feed(
      ipfix(
        {},
        template10(256, [
          [0, 22, 4],
          [0, 21, 4]
        ]),
        dataSet(256, [...uint(uptime - 5000, 4), ...uint(uptime - 1000, 4)])
      )
    )
    const [row] = bench.take()
    assert.strictEqual(row?.start, EXPORT_SECONDS * 1000 - 5000)
    assert.strictEqual(row?.end, EXPORT_SECONDS * 1000 - 1000)
  })

  for (const [name, field, value] of [
    ["IE 1", [0, 1, 8], "bytes"],
    ["IE 85", [0, 85, 8], "bytes"],
    ["IE 23", [0, 23, 8], "bytes"],
    ["IE 231 (firewall events)", [0, 231, 8], "bytes"],
    ["IE 352", [0, 352, 8], "bytes"],
    ["IE 2", [0, 2, 8], "packets"],
    ["IE 86", [0, 86, 8], "packets"],
    ["IE 24", [0, 24, 8], "packets"],
    ["IE 298", [0, 298, 8], "packets"],
    ["IE 232 (firewall events)", [0, 232, 8], "reverseBytes"],
    ["IE 299", [0, 299, 8], "reversePackets"],
    ["reverse IE 1", [29305, 1, 8], "reverseBytes"],
    ["reverse IE 2", [29305, 2, 8], "reversePackets"],
    ["reverse IE 85", [29305, 85, 8], "reverseBytes"],
    ["reverse IE 86", [29305, 86, 8], "reversePackets"]
  ] as const) {
    it(`takes ${value} from ${name}`, () => {
      const { row } = decodeOne([field], ...uint(2 ** 40 + 7, 8))
      const { bytes: octets, packets, reverseBytes, reversePackets } = row
      const all = { bytes: octets, packets, reverseBytes, reversePackets }
      assert.deepStrictEqual(all, { bytes: 0, packets: 0, reverseBytes: 0, reversePackets: 0, [value]: 2 ** 40 + 7 })
    })
  }

  it("puts ICMP type and code where other exporters put them: the destination port", () => {
    const icmp = decodeOne(
      [
        [0, 4, 1],
        [0, 32, 2]
      ],
      1,
      8,
      0
    ).row
    assert.strictEqual(icmp.destinationPort, 0x0800)
    const icmp6 = decodeOne(
      [
        [0, 4, 1],
        [0, 178, 1],
        [0, 179, 1],
        [0, 11, 2]
      ],
      58,
      128,
      1,
      0,
      0
    ).row
    assert.strictEqual(icmp6.destinationPort, 0x8001)
    const tcpFlow = decodeOne(
      [
        [0, 4, 1],
        [0, 32, 2],
        [0, 11, 2]
      ],
      6,
      8,
      0,
      0,
      0
    ).row
    assert.strictEqual(tcpFlow.destinationPort, 0)
  })

  it("reads the IP header of a data link frame section, and its octets", () => {
    const packet = ethernet(0x0800, ipv4Packet(ipv4("10.9.8.7"), ipv4("10.1.1.1"), { protocol: 6 }, tcp(5000, 22, 0x12)), 100)
    const fields: ReadonlyArray<Field> = [
      [0, 10, 4],
      [0, 312, 2],
      [0, 315, packet.length]
    ]
    const { row } = decodeOne(fields, ...uint(12, 4), ...uint(1514, 2), ...packet)
    assert.deepStrictEqual(
      [
        row.family,
        row.source,
        row.destination,
        row.sourcePort,
        row.destinationPort,
        row.protocol,
        row.tcpFlags,
        row.bytes,
        row.packets
      ],
      [4, "10.9.8.7", "10.1.1.1", 5000, 22, 6, 0x12, 40, 1]
    )
    const ip = packet.subarray(18)
    const section = decodeOne([[0, 313, 65535]], ip.length, ...ip).row
    assert.deepStrictEqual([section.source, section.bytes, section.packets], ["10.9.8.7", 40, 1])
  })

  for (const [name, fields, octets, rate] of [
    ["IE 34", [[0, 34, 4]], uint(100, 4), 100],
    ["IE 50", [[0, 50, 4]], uint(200, 4), 200],
    [
      "IE 305 and 306",
      [
        [0, 305, 4],
        [0, 306, 4]
      ],
      [...uint(1, 4), ...uint(999, 4)],
      1000
    ],
    [
      "IE 309 and 310",
      [
        [0, 309, 4],
        [0, 310, 4]
      ],
      [...uint(2, 4), ...uint(512, 4)],
      256
    ],
    ["IE 311", [[0, 311, 8]], [0x3f, 0x84, 0x7a, 0xe1, 0x47, 0xae, 0x14, 0x7b], 100]
  ] as const) {
    it(`learns the sampling rate from ${name}, in the record and in options data`, () => {
      assert.strictEqual(decodeOne(fields, ...octets).row.sampling, rate)
      const bench = makeBench()
      bench.feed(ipfix({}, optionsTemplate10(300, [[0, 302, 4]], fields), dataSet(300, [0, 0, 0, 5, ...octets])))
      bench.feed(ipfix({}, template10(256, [[0, 302, 4]]), dataSet(256, [0, 0, 0, 5, 0, 0, 0, 6])))
      assert.deepStrictEqual(
        bench.take().map((row) => row.sampling),
        [rate, 0]
      )
    })
  }
})
