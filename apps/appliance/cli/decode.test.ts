import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { bytes, dataSet, ipfix, netflow9, template9, template10, uint } from "#pipeline/decode/encode.fixture.ts"
import { runDecode } from "./decode.ts"

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flowlens-decode-"))
})
afterAll(() => rmSync(folder, { recursive: true }))

const fields = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 11, 2],
  [0, 1, 8]
] as const
const record = (port: number, octets: number | bigint = 10) => bytes().u32(0x0a000001).u32(0x0a000002).u16(port).u64(octets).done()

const decode = (argv: ReadonlyArray<string>, ...files: ReadonlyArray<Uint8Array>) => {
  const paths = files.map((octets, i) => {
    const path = join(folder, `${i}.dat`)
    writeFileSync(path, octets)
    return path
  })
  const lines: Array<Record<string, unknown>> = []
  const code = runDecode([...argv, ...paths], (line) => lines.push(JSON.parse(line)))
  const last = lines.pop()?.["summary"] as Record<string, unknown>
  return { code, lines, summary: last }
}

describe("flowlens decode", () => {
  it("prints a record a line, then the summary", () => {
    const { code, lines, summary } = decode(
      ["--as", "datagram", "--exporter", "192.0.2.4"],
      netflow9({}, template9(256, fields)),
      netflow9({}, dataSet(256, record(443), record(80)))
    )
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(lines[0], {
      datagram: 1,
      exporter: "192.0.2.4",
      srcIp: "10.0.0.1",
      dstIp: "10.0.0.2",
      dstPort: 443,
      bytes: 10,
      templateId: 256
    })
    assert.strictEqual(lines[1]?.["dstPort"], 80)
    assert.strictEqual(summary["datagrams"], 2)
    assert.strictEqual(summary["dataRecords"], 2)
    assert.strictEqual(summary["templates"], 1)
  })

  it("prints whole numbers past 2^53 as text", () => {
    const { lines } = decode([], netflow9({}, template9(256, fields), dataSet(256, record(1, 18446744073709551615n))))
    assert.strictEqual(lines[0]?.["bytes"], "18446744073709551615")
  })

  it("says under normalised what the appliance makes of the record", () => {
    const { lines } = decode(
      [],
      ipfix(
        {},
        template10(256, [
          [0, 4, 1],
          [0, 11, 2],
          [0, 32, 2],
          [0, 7, 2],
          [0, 7, 2]
        ]),
        dataSet(256, [1, 0, 0, 8, 0, 0, 9, 0, 10])
      )
    )
    assert.deepStrictEqual([lines[0]?.["dstPort"], lines[0]?.["srcPort"], lines[0]?.["icmpTypeCode"]], [0, 9, 0x0800])
    assert.deepStrictEqual(lines[0]?.["normalised"], { dstPort: 0x0800, srcPort: 10 })
  })

  it("counts data without a template, and decodes it later when asked to hold it", () => {
    const early = netflow9({}, dataSet(256, record(1)))
    const late = netflow9({}, template9(256, fields))
    const plain = decode([], early, late)
    assert.deepStrictEqual([plain.summary["undecodableSets"], plain.lines.length], [1, 0])
    const held = decode(["--hold"], early, late)
    assert.deepStrictEqual([held.summary["undecodableSets"], held.summary["releasedRecords"], held.lines.length], [1, 1, 1])
  })

  it("names elements nobody here knows", () => {
    const { summary } = decode([], ipfix({}, template10(256, [[6871, 18, 4]]), dataSet(256, [1, 2, 3, 4])))
    assert.deepStrictEqual(summary["unknownElements"], [{ enterprise: 6871, element: 18, records: 1 }])
  })

  it("exits 0 whatever the octets, and counts what was malformed", () => {
    const { code, summary } = decode([], Uint8Array.from([0, 9, 0]), Uint8Array.from(uint(7, 40)), new Uint8Array(0))
    assert.strictEqual(code, 0)
    assert.strictEqual(summary["malformedDatagrams"], 3)
    assert.deepStrictEqual(summary["malformedReasons"], { "short-header": 2, "unknown-version": 1 })
  })

  it("says what is wrong with its arguments or files", () => {
    assert.strictEqual(
      runDecode([], () => {}),
      2
    )
    assert.strictEqual(
      runDecode(["--as", "nothing", "x"], () => {}),
      2
    )
    assert.strictEqual(
      runDecode(["--verbose", "x"], () => {}),
      2
    )
    assert.strictEqual(
      runDecode([join(folder, "absent.dat")], () => {}),
      1
    )
  })
})
