import { assert, describe, it } from "@effect/vitest"
import { bytes, dataSet, type Field, ipfix, ipv4, optionsTemplate10, template10, uint, withdrawal10 } from "./encode.fixture.ts"
import { decodeOne, makeBench } from "./rows.fixture.ts"

const v6 = (last: number) => [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]

describe("IPFIX", () => {
  it("walks over variable-length and enterprise fields", () => {
    const fields: ReadonlyArray<Field> = [
      [0, 8, 4],
      [6871, 40, 65535],
      [0, 12, 4],
      [0, 371, 65535],
      [0, 11, 2],
      [9, 12235, 8]
    ]
    const long = new Array<number>(300).fill(120)
    const record = (name: ReadonlyArray<number>, port: number) =>
      bytes().u32(ipv4("10.0.0.1")).u8(3).raw([1, 2, 3]).u32(ipv4("10.0.0.2")).raw(name).u16(port).zeros(8).done()
    const short = record([0], 53)
    const middle = record([255, 1, 44, ...long], 80)
    const bench = makeBench()
    for (const times of [1, 100]) {
      const sets = Array.from({ length: times }, () => dataSet(256, short, middle))
      const outcome = bench.feed(ipfix({ sequence: 3 }, template10(256, fields), ...sets))
      assert.strictEqual(outcome.malformed, "")
      assert.strictEqual(outcome.sequenceStep, 2 * times)
      const rows = bench.take()
      assert.strictEqual(rows.length, 2 * times)
      for (let i = 0; i < rows.length; i++) {
        assert.deepStrictEqual(
          [rows[i]?.source, rows[i]?.destination, rows[i]?.destinationPort],
          ["10.0.0.1", "10.0.0.2", i % 2 === 0 ? 53 : 80]
        )
      }
    }
    assert.deepStrictEqual(
      bench.decoder.unknownElements().map(({ element, enterprise, records }) => [enterprise, element, records]),
      [
        [6871, 40, 202],
        [9, 12235, 202]
      ]
    )
  })

  it("counts a record that runs past its set and keeps those before it", () => {
    const fields: ReadonlyArray<Field> = [
      [0, 11, 2],
      [0, 82, 65535]
    ]
    const { outcome, bench, row } = decodeOne(fields, 0, 80, 1, 65, 0, 81, 200, 66)
    assert.strictEqual(outcome.malformed, "record-truncated")
    assert.strictEqual(outcome.sequenceStep, -1)
    assert.strictEqual(row.destinationPort, 80)
    assert.strictEqual(bench.take().length, 0)
  })

  it("reads IPv6 addresses", () => {
    const { row } = decodeOne(
      [
        [0, 27, 16],
        [0, 28, 16]
      ],
      ...v6(1),
      ...v6(2)
    )
    assert.deepStrictEqual([row.family, row.source, row.destination], [6, "2001:db8::1", "2001:db8::2"])
  })

  it("takes the family that is not all zero when a template has both", () => {
    const both: ReadonlyArray<Field> = [
      [0, 8, 4],
      [0, 12, 4],
      [0, 27, 16],
      [0, 28, 16]
    ]
    const zero16 = new Array<number>(16).fill(0)
    const six = decodeOne(both, 0, 0, 0, 0, 0, 0, 0, 0, ...v6(1), ...v6(2)).row
    const four = decodeOne(both, 10, 0, 0, 1, 10, 0, 0, 2, ...zero16, ...zero16).row
    const none = decodeOne(both, 0, 0, 0, 0, 0, 0, 0, 0, ...zero16, ...zero16).row
    assert.deepStrictEqual([six.family, six.source], [6, "2001:db8::1"])
    assert.deepStrictEqual([four.family, four.source], [4, "10.0.0.1"])
    assert.deepStrictEqual([none.family, none.source], [4, "0.0.0.0"])
  })

  it("forgets withdrawn templates, one or all of a kind", () => {
    const told: Array<string> = []
    const bench = makeBench({ onWithdrawal: (exporter, domain, id, kind) => told.push(`${exporter} ${domain} ${id} ${kind}`) })
    const define = () =>
      bench.feed(
        ipfix({}, template10(256, [[0, 1, 8]]), template10(257, [[0, 1, 8]]), optionsTemplate10(258, [[0, 149, 4]], [[0, 34, 4]]))
      )
    define()
    assert.strictEqual(bench.feed(ipfix({}, withdrawal10(256))).withdrawals, 1)
    assert.strictEqual(bench.templates.size, 2)
    assert.strictEqual(bench.feed(ipfix({}, dataSet(256, uint(1, 8)))).unknownSets, 1)
    define()
    bench.feed(ipfix({}, withdrawal10(2)))
    assert.strictEqual(bench.templates.size, 1)
    bench.feed(ipfix({}, withdrawal10(3, true)))
    assert.strictEqual(bench.templates.size, 0)
    assert.strictEqual(bench.templates.counters.withdrawn, 4)
    assert.deepStrictEqual(told, ["192.0.2.1 1 256 data", "192.0.2.1 1 0 data", "192.0.2.1 1 0 options"])
  })

  it("refuses a message longer than the datagram and ignores what follows one", () => {
    const whole = ipfix({}, template10(256, [[0, 1, 8]]), dataSet(256, uint(9, 8)))
    const bench = makeBench()
    assert.strictEqual(bench.feed(whole.subarray(0, whole.length - 1)).malformed, "message-length")
    assert.strictEqual(bench.feed(bytes().raw(whole).raw(whole).done()).records, 1)
    assert.strictEqual(bench.feed(ipfix({ length: 15 })).malformed, "message-length")
  })

  it("skips reserved sets and refuses a set without a length", () => {
    const bench = makeBench()
    const reserved = bytes().u16(7).u16(8).u32(1).done()
    assert.strictEqual(bench.feed(ipfix({}, reserved, template10(256, [[0, 1, 8]]))).templates, 1)
    assert.strictEqual(bench.feed(ipfix({}, bytes().u16(256).u16(0).u32(0).done())).malformed, "set-length")
  })

  it("knows how far the sequence number moves only when every set was read", () => {
    const bench = makeBench()
    assert.strictEqual(bench.feed(ipfix({}, dataSet(256, uint(9, 8)))).sequenceStep, -1)
    assert.strictEqual(bench.feed(ipfix({}, template10(256, [[0, 1, 8]]))).sequenceStep, 0)
  })
})
