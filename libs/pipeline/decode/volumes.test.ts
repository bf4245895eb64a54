import { assert, describe, it } from "@effect/vitest"
import { bytes, dataSet, type Field, ipfix, ipv4, netflow9, template9, template10, uint } from "./encode.fixture.ts"
import { REVERSE_PEN } from "./plan.ts"
import { makeBench } from "./rows.fixture.ts"

const key: ReadonlyArray<Field> = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 7, 2],
  [0, 11, 2],
  [0, 4, 1]
]
const keyOf = (port = 1000) => [...uint(ipv4("10.0.0.1"), 4), ...uint(ipv4("10.0.0.2"), 4), ...uint(port, 2), ...uint(443, 2), 6]

/** Rows of one template after another from the same exporter. */
const exporter = (fields: ReadonlyArray<Field>) => {
  const bench = makeBench()
  bench.feed(ipfix({}, template10(256, [...key, ...fields])))
  return (...records: ReadonlyArray<ReadonlyArray<number>>) => {
    bench.feed(ipfix({}, dataSet(256, ...records)))
    return bench.take()
  }
}

describe("octets and packets", () => {
  it("are read in every length from one to eight octets, and beyond 2^53 to the nearest double", () => {
    for (let length = 1; length <= 8; length++) {
      const most = 2n ** BigInt(8 * length) - 1n
      for (const value of [0n, 1n, most / 3n, most]) {
        const [row] = exporter([[0, 1, length]])([...keyOf(), ...uint(value, length)])
        assert.strictEqual(row?.bytes, Number(value), `${value} in ${length}`)
      }
    }
  })

  it("of the reverse direction are the biflow's own, or the responder's", () => {
    const biflow: ReadonlyArray<Field> = [
      [0, 1, 8],
      [0, 2, 4],
      [REVERSE_PEN, 1, 8],
      [REVERSE_PEN, 2, 4]
    ]
    const volumes = [...uint(5000, 8), ...uint(5, 4), ...uint(70_000, 8), ...uint(60, 4)]
    const responder: ReadonlyArray<Field> = [
      [0, 231, 8],
      [0, 298, 4],
      [0, 232, 8],
      [0, 299, 4]
    ]
    for (const fields of [biflow, responder]) {
      const [row] = exporter(fields)([...keyOf(), ...volumes])
      assert.deepStrictEqual([row?.bytes, row?.packets, row?.reverseBytes, row?.reversePackets], [5000, 5, 70_000, 60])
    }
  })

  it("are deltas where a record has both, and after translation or at layer 2 only where it has nothing else", () => {
    const of = (fields: ReadonlyArray<Field>) =>
      exporter(fields)([...keyOf(), ...fields.flatMap((_, i) => uint(100 * (i + 1), 4))])[0]?.bytes
    assert.strictEqual(
      of([
        [0, 85, 4],
        [0, 23, 4],
        [0, 352, 4],
        [0, 1, 4]
      ]),
      400
    )
    assert.strictEqual(of([[0, 23, 4]]), 100)
    assert.strictEqual(
      of([
        [0, 353, 4],
        [0, 352, 4]
      ]),
      200
    )
  })

  it("that are running totals count what came since the flow's last record", () => {
    const say = exporter([
      [0, 85, 8],
      [0, 86, 4],
      [0, 152, 8]
    ])
    const record = (octets: number, packets: number, start = 1_700_000_000_000, port = 1000) => [
      ...keyOf(port),
      ...uint(octets, 8),
      ...uint(packets, 4),
      ...uint(start, 8)
    ]
    const volumes = (rows: ReturnType<typeof say>) => rows.map((row) => [row.bytes, row.packets])
    assert.deepStrictEqual(volumes(say(record(1000, 10), record(400, 4, 1_700_000_000_000, 2000))), [
      [1000, 10],
      [400, 4]
    ])
    assert.deepStrictEqual(volumes(say(record(1500, 15), record(1500, 15))), [
      [500, 5],
      [0, 0]
    ])
    // The same ports again by a later flow, and counters that began anew
    assert.deepStrictEqual(volumes(say(record(9000, 90, 1_700_000_100_000))), [[9000, 90]])
    assert.deepStrictEqual(volumes(say(record(100, 1, 1_700_000_100_000))), [[100, 1]])
  })

  it("of many flows with running totals add up to what the flows really had", () => {
    const bench = makeBench({ batchRows: 64 })
    bench.feed(netflow9({}, template9(256, [...key, [0, 85, 4], [0, 22, 4]])))
    let sum = 0
    const flows = 500
    for (let round = 1; round <= 5; round++) {
      for (let at = 0; at < flows; at += 50) {
        // The clock of the header is cut to seconds, so the start wobbles.
        const uptime = 3_600_000 + round * 60_300 + at
        const records = Array.from({ length: 50 }, (_, i) => [
          ...keyOf(at + i),
          ...uint(round * 1000, 4),
          ...uint(3_500_000 + at, 4)
        ])
        bench.feed(netflow9({ uptime, seconds: 1_700_000_000 + Math.floor((uptime - 3_600_000) / 1000) }, dataSet(256, ...records)))
      }
      for (const row of bench.take()) sum += row.bytes
    }
    assert.strictEqual(sum, flows * 5 * 1000)
  })
})

describe("what was not let through", () => {
  it("is counted and not in the batch: firewall events, dropped by forwarding status; the rest stays as it is", () => {
    const fields: ReadonlyArray<Field> = [...key, [0, 231, 4], [0, 233, 1]]
    const bench = makeBench()
    const record = (port: number, event: number) => [...keyOf(port), ...uint(port, 4), event]
    const many = Array.from({ length: 200 }, (_, i) => record(i, i % 4))
    const outcome = bench.feed(ipfix({}, template10(256, fields), dataSet(256, ...many)))
    assert.deepStrictEqual([outcome.records, outcome.denied, outcome.sequenceStep], [200, 50, 200])
    assert.deepStrictEqual(
      bench.take().map((row) => [row.sourcePort, row.bytes, row.source]),
      Array.from({ length: 200 }, (_, i) => i)
        .filter((i) => i % 4 !== 3)
        .map((i) => [i, i, "10.0.0.1"])
    )
    const status = makeBench()
    const forwarded = [0x40, 0x80, 0x8a, 0x42, 0xc0]
    const dropped = status.feed(
      netflow9({}, template9(256, [...key, [0, 89, 1]]), dataSet(256, ...forwarded.map((s, i) => [...keyOf(i), s])))
    )
    assert.strictEqual(dropped.denied, 2)
    assert.deepStrictEqual(
      status.take().map((row) => row.sourcePort),
      [0, 3, 4]
    )
  })

  it("is seen behind variable-length fields, too, and shown to people all the same", () => {
    const fields: ReadonlyArray<Field> = [...key, [0, 371, 65535], [0, 233, 1]]
    const record = (port: number, name: string, event: number) => [...keyOf(port), name.length, ...Buffer.from(name), event]
    let shown = 0
    for (const trace of [undefined, { templateRecord: () => shown++, flowSample: () => {} }]) {
      const bench = makeBench(trace === undefined ? {} : { trace })
      const outcome = bench.feed(
        ipfix({}, template10(256, fields), dataSet(256, record(1, "a", 2), record(2, "bob", 3), record(3, "", 5)))
      )
      assert.deepStrictEqual([outcome.records, outcome.denied], [3, 1])
      assert.deepStrictEqual(
        bench.take().map((row) => row.sourcePort),
        [1, 3]
      )
    }
    assert.strictEqual(shown, 3)
  })
})

describe("translated addresses", () => {
  it("are not the conversation's: that is drawn between the addresses before translation", () => {
    const fields: ReadonlyArray<Field> = [[0, 225, 4], [0, 226, 4], [0, 227, 2], [0, 228, 2], ...key, [0, 1, 4]]
    const bench = makeBench()
    const translated = bytes().u32(ipv4("198.51.100.1")).u32(ipv4("10.9.9.9")).u16(61_000).u16(8443).done()
    bench.feed(ipfix({}, template10(256, fields), dataSet(256, [...translated, ...keyOf(), ...uint(77, 4)])))
    const [row] = bench.take()
    assert.deepStrictEqual(
      [row?.source, row?.destination, row?.sourcePort, row?.destinationPort, row?.bytes],
      ["10.0.0.1", "10.0.0.2", 1000, 443, 77]
    )
  })
})
