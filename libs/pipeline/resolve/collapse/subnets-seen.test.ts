import { assert, describe, it } from "vitest"
import { defaultInternalRanges, ipv4Value, ipv6Bytes, networkSet } from "#domain/Address.ts"
import type { ConversationColumns } from "#domain/Window.ts"
import { MOST_SUBNETS, subnetsSeen } from "./subnets-seen.ts"

type Row = readonly [exporter: number, a: string, b: string, ab: number, ba: number]

const sliceOf = (rows: ReadonlyArray<Row>, exporters: ReadonlyArray<string>) => {
  const v6 = [...new Set(rows.flatMap(([, a, b]) => [a, b]).filter((text) => text.includes(":")))]
  const ipv6 = new Uint8Array(v6.length * 16)
  v6.forEach((text, i) => void ipv6.set(ipv6Bytes(text)!, i * 16))
  const value = (text: string) => (text.includes(":") ? v6.indexOf(text) : ipv4Value(text)!)
  const columns = {
    exporter: Uint32Array.from(rows, ([exporter]) => exporter),
    family: Uint8Array.from(rows, ([, a]) => (a.includes(":") ? 6 : 4)),
    a: Uint32Array.from(rows, ([, a]) => value(a)),
    b: Uint32Array.from(rows, ([, , b]) => value(b)),
    recordsAb: Uint32Array.from(rows, ([, , , ab]) => ab),
    recordsBa: Uint32Array.from(rows, ([, , , , ba]) => ba)
  }
  return { columns: columns as unknown as ConversationColumns, exporters: exporters.map((address) => ({ address })), ipv6 }
}

const internal = networkSet(defaultInternalRanges)

describe("networks seen", () => {
  it("are counted by exporter, both ends, ours only", () => {
    const seen = subnetsSeen(
      sliceOf(
        [
          [0, "10.1.2.3", "10.1.2.200", 2, 1],
          [0, "10.1.2.9", "203.0.113.5", 4, 0],
          [1, "192.168.7.1", "10.1.2.3", 0, 5],
          [1, "fd00:0:0:7::1", "2001:db8::1", 3, 3]
        ],
        ["192.0.2.1", "192.0.2.2"]
      ),
      internal
    )
    assert.sameDeepMembers(
      [...seen],
      [
        { subnet: "10.1.2.0/24", exporter: "192.0.2.1", records: 10 },
        { subnet: "10.1.2.0/24", exporter: "192.0.2.2", records: 5 },
        { subnet: "192.168.7.0/24", exporter: "192.0.2.2", records: 5 },
        { subnet: "fd00:0:0:7::/64", exporter: "192.0.2.2", records: 6 }
      ]
    )
  })

  it("are bounded: of a flood of invented ones the heaviest stay", () => {
    const rows = Array.from(
      { length: 9000 },
      (_, i): Row => [0, `10.${(i >> 8) & 255}.${i & 255}.1`, "203.0.113.5", i === 8999 ? 9 : 1, 0]
    )
    const seen = subnetsSeen(sliceOf(rows, ["192.0.2.1"]), internal)
    assert.strictEqual(seen.length, MOST_SUBNETS)
    assert.strictEqual(seen[0]!.records, 9)
  })
})
