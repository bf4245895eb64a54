import { assert, describe, it } from "@effect/vitest"
import {
  bytes,
  dataSet,
  EXPORT_SECONDS,
  type Field,
  ipv4,
  netflow9,
  optionsTemplate9,
  template9,
  UPTIME,
  uint
} from "./encode.fixture.ts"
import { makeFlowBatch } from "./FlowBatch.ts"
import { makeBench } from "./rows.fixture.ts"

const fields: ReadonlyArray<Field> = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 7, 2],
  [0, 11, 2],
  [0, 4, 1],
  [0, 6, 1],
  [0, 1, 4],
  [0, 2, 4],
  [0, 22, 4],
  [0, 21, 4],
  [0, 10, 4],
  [0, 14, 2],
  [0, 61, 1]
]
const record = (port: number) =>
  bytes()
    .u32(ipv4("10.0.0.1"))
    .u32(ipv4("10.0.0.2"))
    .u16(port)
    .u16(443)
    .u8(6)
    .u8(2)
    .u32(1500)
    .u32(3)
    .u32(UPTIME - 2000)
    .u32(UPTIME - 1000)
    .u32(100_000)
    .u16(4)
    .u8(1)
    .done()

describe("NetFlow v9", () => {
  it("reads every column by the template", () => {
    const bench = makeBench()
    const outcome = bench.feed(netflow9({ sequence: 5, sourceId: 42 }, template9(256, fields), dataSet(256, record(1000))))
    assert.strictEqual(outcome.version, 9)
    assert.strictEqual(outcome.observationDomain, 42)
    assert.strictEqual(outcome.sequence, 5)
    assert.strictEqual(outcome.sequenceStep, 1)
    assert.strictEqual(outcome.templates, 1)
    assert.strictEqual(outcome.records, 1)
    const [row] = bench.take()
    assert.deepStrictEqual(
      { ...row, exporter: 0 },
      {
        exporter: 0,
        family: 4,
        source: "10.0.0.1",
        destination: "10.0.0.2",
        sourcePort: 1000,
        destinationPort: 443,
        protocol: 6,
        tcpFlags: 2,
        bytes: 1500,
        packets: 3,
        reverseBytes: 0,
        reversePackets: 0,
        start: EXPORT_SECONDS * 1000 - 2000,
        end: EXPORT_SECONDS * 1000 - 1000,
        inputInterface: 100_000,
        outputInterface: 4,
        sampling: 0,
        direction: 1
      }
    )
  })

  it("does not take the header's count for a limit", () => {
    const bench = makeBench()
    const records = Array.from({ length: 9 }, (_, i) => record(i))
    bench.feed(netflow9({ count: 1 }, template9(256, fields), dataSet(256, ...records)))
    assert.strictEqual(bench.take().length, 9)
  })

  it("holds data that comes before its template and decodes it with the times it came with", () => {
    const bench = makeBench()
    const early = bench.feed(netflow9({ seconds: EXPORT_SECONDS - 60 }, dataSet(256, record(1), record(2))))
    assert.strictEqual(early.held, 1)
    assert.strictEqual(early.unknownSets, 1)
    assert.strictEqual(bench.decoder.held.sets, 1)
    assert.isAbove(bench.decoder.held.byExporter("192.0.2.1").bytes, 0)
    const late = bench.feed(netflow9({}, template9(256, fields), dataSet(256, record(3))))
    assert.strictEqual(late.released, 2)
    assert.strictEqual(late.records, 1)
    assert.strictEqual(bench.decoder.held.sets, 0)
    assert.strictEqual(bench.decoder.held.bytes, 0)
    assert.deepStrictEqual(
      bench.take().map((row) => [row.sourcePort, row.start]),
      [
        [3, EXPORT_SECONDS * 1000 - 2000],
        [1, EXPORT_SECONDS * 1000 - 62_000],
        [2, EXPORT_SECONDS * 1000 - 62_000]
      ]
    )
  })

  it("decodes held data when another worker tells the template", () => {
    const bench = makeBench()
    bench.feed(netflow9({}, dataSet(256, record(1))))
    const other = makeBench()
    other.feed(netflow9({}, template9(256, fields)))
    const batch = { rows: 0 }
    for (const learned of other.templates.export()) {
      batch.rows += bench.decoder.adopt(learned, 0, makeFlowBatch())
    }
    assert.strictEqual(batch.rows, 1)
    bench.feed(netflow9({}, dataSet(256, record(2))))
    assert.strictEqual(bench.take().at(-1)?.sourcePort, 2)
  })

  it("keeps what it holds within its bounds and counts what it refuses", () => {
    const bench = makeBench({ maxHeldBytesPerExporter: 1000, maxHeldBytes: 1500 })
    let refused = 0
    for (let i = 0; i < 50; i++) refused += bench.feed(netflow9({}, dataSet(256, record(i))), "192.0.2.1").heldRefused
    assert.isAbove(refused, 40)
    assert.isAtMost(bench.decoder.held.byExporter("192.0.2.1").bytes, 1000)
    for (let i = 0; i < 50; i++) bench.feed(netflow9({}, dataSet(256, record(i))), "192.0.2.2")
    assert.isAtMost(bench.decoder.held.bytes, 1500)
  })

  it("gives up what has waited too long", () => {
    const bench = makeBench()
    bench.feed(netflow9({}, dataSet(256, record(1))), "192.0.2.1", 1000)
    bench.feed(netflow9({}, dataSet(256, record(1))), "192.0.2.1", 5000)
    assert.strictEqual(bench.decoder.held.expire(6000, 3000), 1)
    assert.strictEqual(bench.decoder.held.sets, 1)
  })

  it("tells templates of different source ids and exporters apart, and not of UDP ports", () => {
    const bench = makeBench()
    bench.feed(netflow9({ sourceId: 1 }, template9(256, fields)))
    assert.strictEqual(bench.feed(netflow9({ sourceId: 2 }, dataSet(256, record(1)))).unknownSets, 1)
    assert.strictEqual(bench.feed(netflow9({ sourceId: 1 }, dataSet(256, record(1))), "192.0.2.99").unknownSets, 1)
    assert.strictEqual(bench.feed(netflow9({ sourceId: 1 }, dataSet(256, record(1)))).unknownSets, 0)
  })

  it("decodes by the new template after a redefinition", () => {
    const learned: Array<number> = []
    const bench = makeBench({ onTemplate: (template) => learned.push(template.fields.length) })
    bench.feed(netflow9({}, template9(256, fields)))
    bench.feed(netflow9({}, template9(256, fields)))
    bench.feed(
      netflow9(
        {},
        template9(256, [
          [0, 7, 2],
          [0, 11, 2]
        ]),
        dataSet(256, uint(80, 2).concat(uint(443, 2)))
      )
    )
    assert.deepStrictEqual(learned, [13, 2])
    const counters = bench.templates.counters
    assert.deepStrictEqual([counters.learned, counters.refreshed, counters.changed], [1, 1, 1])
    assert.strictEqual(bench.take()[0]?.sourcePort, 80)
  })

  it("reads reduced-size and oversize counters", () => {
    const bench = makeBench()
    const sized: ReadonlyArray<Field> = [
      [0, 1, 3],
      [0, 2, 5],
      [0, 10, 8],
      [0, 14, 1]
    ]
    const octets = [...uint(0xabcdef, 3), ...uint(0x0102030405, 5), ...uint(77, 8), 9]
    bench.feed(netflow9({}, template9(300, sized), dataSet(300, octets)))
    const [row] = bench.take()
    assert.deepStrictEqual([row?.bytes, row?.packets, row?.inputInterface, row?.outputInterface], [0xabcdef, 0x0102030405, 77, 9])
  })

  it("skips trailing zeros of the datagram without a complaint, and nothing else", () => {
    const bench = makeBench()
    const whole = netflow9({}, template9(256, fields), dataSet(256, record(1)))
    assert.strictEqual(bench.feed(bytes().raw(whole).zeros(100).done()).malformed, "")
    assert.strictEqual(bench.feed(bytes().raw(whole).zeros(100).u8(1).zeros(3).done()).malformed, "set-length")
    assert.strictEqual(bench.feed(whole.subarray(0, whole.length - 5)).malformed, "set-length")
  })

  for (const [name, set, reason] of [
    [
      "a template of more fields than its set holds",
      bytes().u16(0).u16(12).u16(256).u16(9).u32(0x00080004).done(),
      "template-field-count"
    ],
    ["a template without fields", bytes().u16(0).u16(8).u16(256).u16(0).done(), "template-field-count"],
    ["a template whose records are empty", template9(256, [[0, 1, 0]]), "template-zero-length"],
    ["a template id below 256", template9(255, [[0, 1, 4]]), "template-id"],
    [
      "an options template whose lengths are no multiple of four",
      bytes().u16(1).u16(14).u16(256).u16(2).u16(2).u32(0).done(),
      "template-scope"
    ]
  ] as const) {
    it(`refuses ${name}`, () => {
      const bench = makeBench()
      const outcome = bench.feed(netflow9({}, set, dataSet(256, [1, 2, 3, 4])))
      assert.strictEqual(outcome.malformed, reason)
      assert.strictEqual(bench.templates.size, 0)
      assert.deepStrictEqual(bench.take(), [])
    })
  }
})

describe("sampling of NetFlow v9", () => {
  const sampled: ReadonlyArray<Field> = [...fields, [0, 48, 1]]
  const withSampler = (port: number, sampler: number) => bytes().raw(record(port)).u8(sampler).done()
  const options = optionsTemplate9(
    300,
    [[0, 1, 4]],
    [
      [0, 48, 1],
      [0, 50, 4]
    ]
  )
  const announce = (sampler: number, rate: number) => dataSet(300, bytes().u32(1).u8(sampler).u32(rate).done())

  it("is learned from options data by sampler", () => {
    const bench = makeBench()
    const outcome = bench.feed(netflow9({}, options, announce(1, 100), announce(2, 2000), template9(256, sampled)))
    assert.strictEqual(outcome.optionsRecords, 2)
    assert.strictEqual(outcome.optionsTemplates, 1)
    bench.feed(netflow9({}, dataSet(256, withSampler(1, 1), withSampler(2, 2), withSampler(3, 3))))
    assert.deepStrictEqual(
      bench.take().map((row) => row.sampling),
      [100, 2000, 0]
    )
  })

  it("applies to records that name no sampler", () => {
    const bench = makeBench()
    bench.feed(netflow9({}, options, announce(1, 512), template9(256, fields), dataSet(256, record(1))))
    assert.strictEqual(bench.take()[0]?.sampling, 512)
  })

  it("does not reach another source id", () => {
    const bench = makeBench()
    bench.feed(netflow9({ sourceId: 1 }, options, announce(1, 512)))
    bench.feed(netflow9({ sourceId: 2 }, template9(256, fields), dataSet(256, record(1))))
    assert.strictEqual(bench.take()[0]?.sampling, 0)
  })

  it("by interface reaches only flows that came in there", () => {
    const bench = makeBench()
    const byInterface = optionsTemplate9(301, [[0, 2, 4]], [[0, 34, 4]])
    const say = (index: number, rate: number) => bytes().u32(index).u32(rate).done()
    bench.feed(netflow9({}, byInterface, dataSet(301, say(100_000, 64), say(5, 128)), template9(256, fields)))
    bench.feed(netflow9({}, dataSet(256, record(1))))
    assert.strictEqual(bench.take()[0]?.sampling, 64)
  })

  it("in the record comes first", () => {
    const bench = makeBench()
    const own: ReadonlyArray<Field> = [...fields, [0, 34, 4]]
    const say = (rate: number) => bytes().raw(record(1)).u32(rate).done()
    bench.feed(netflow9({}, options, announce(1, 512), template9(256, own), dataSet(256, say(10), say(0))))
    assert.deepStrictEqual(
      bench.take().map((row) => row.sampling),
      [10, 512]
    )
  })

  it("waits with its options template", () => {
    const bench = makeBench()
    assert.strictEqual(bench.feed(netflow9({}, announce(1, 512))).held, 1)
    assert.strictEqual(bench.feed(netflow9({}, options)).optionsRecords, 1)
    bench.feed(netflow9({}, template9(256, fields), dataSet(256, record(1))))
    assert.strictEqual(bench.take()[0]?.sampling, 512)
  })
})
