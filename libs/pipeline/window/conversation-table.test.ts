import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { ipv4Text, ipv6Text } from "#domain/Address.ts"
import type { ConversationColumns } from "#domain/Window.ts"
import type { FlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { randomFrom, type TestRecord, toBatch } from "../../../test/rig/flow-records.ts"
import { ConversationTable, type ExporterColumns, type TableWindow } from "./conversation-table.ts"
import { foldEnds } from "./fold.ts"
import { wordsOf } from "./ipv6-interner.ts"
import { STARTED } from "./layout.ts"
import { flow, fold as foldInto, makeTestWindows, noon, ranks } from "./windows.fixture.ts"

const base = 1_700_000_000_000

const exporters: ExporterColumns = { skewMs: new Float64Array(8), sampling: new Uint32Array(8) }

/** A table with one window, all of whose rows are placed in it as they are. */
class OneWindow {
  readonly all: ConversationTable
  readonly window: TableWindow
  constructor(most: number) {
    this.all = new ConversationTable(ranks, 42, most)
    this.window = this.all.open()!
  }
  get rows() {
    return this.all.rows(this.window)
  }
  fold(batch: FlowBatch, by: ExporterColumns = exporters, pressure = 1) {
    const { began, columns, ended, mark, own } = this.all
    this.all.load(batch, 0, batch.length)
    this.all.setExporters(by)
    for (let i = 0; i < batch.length; i++) {
      ended[i] = (batch.end[i] || base) - base
      began[i] = (batch.start[i] || batch.end[i] || base) - base
      own[i] = began[i]! - by.skewMs[batch.exporter[i]!]!
      mark[i] = this.window.tag | (batch.start[i] === 0 ? 0 : STARTED)
      if (batch.family[i] !== 6) continue
      columns.source[i] = this.window.ipv6.intern(wordsOf(batch.ipv6), i * 8)
      columns.destination[i] = this.window.ipv6.intern(wordsOf(batch.ipv6), i * 8 + 4)
    }
    this.all.fold(0, batch.length, pressure)
  }
  emit() {
    return this.all.emit(this.window, base, (index) => index)
  }
}

const makeTable = (most = 5000) => new OneWindow(most)

const fold = (table: OneWindow, records: ReadonlyArray<TestRecord>, pressure = 1) =>
  table.fold(toBatch(records), exporters, pressure)

const tcp: TestRecord = { ...flow, start: base + 100, end: base + 900 }
const reply = (record: TestRecord): TestRecord => ({
  ...record,
  source: record.destination,
  destination: record.source,
  sourcePort: record.destinationPort,
  destinationPort: record.sourcePort
})

const one = (table: OneWindow) => {
  assert.strictEqual(table.rows, 1)
  const { columns } = table.emit()
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[0]])) as Record<
    keyof ConversationColumns,
    number
  >
}

/** The same sums by the plainest means, keyed by text. */
const model = (records: ReadonlyArray<TestRecord>) => {
  const rows = new Map<
    string,
    { records: number; ab: number; ba: number; packets: number; raw: number; first: number; last: number }
  >()
  for (const record of records) {
    const folded = foldEnds(ranks, record.protocol, record.source, record.destination, record.sourcePort, record.destinationPort)
    const text = (value: number) => `${record.family}:${value}`
    const [a, b] = folded.sourceIsB ? [record.destination, record.source] : [record.source, record.destination]
    const aPort = folded.folded === 1 ? "*" : folded.aPort
    const key = [record.exporter, record.protocol, text(a), aPort, text(b), folded.bPort].join(" ")
    const row = rows.get(key) ?? { records: 0, ab: 0, ba: 0, packets: 0, raw: 0, first: Number.POSITIVE_INFINITY, last: 0 }
    const scale = Math.max(1, record.sampling)
    row.records++
    if (folded.sourceIsB) row.ba += record.bytes * scale
    else row.ab += record.bytes * scale
    row.packets += record.packets * scale
    row.raw += record.bytes
    row.first = Math.min(row.first, record.start)
    row.last = Math.max(row.last, record.end)
    rows.set(key, row)
  }
  return rows
}

const rowsOf = (table: OneWindow) => {
  const { columns: c, ipv6 } = table.emit()
  const rows = new Map<string, ReturnType<typeof model> extends Map<string, infer R> ? R : never>()
  for (let i = 0; i < table.rows; i++) {
    const value = (v: number) => (c.family[i] === 4 ? `4:${v}` : `6:${ipv6[v * 16 + 15]! + ipv6[v * 16 + 14]! * 256}`)
    const aPort = c.folded[i] === 1 ? "*" : c.aPort[i]
    const key = [c.exporter[i], c.protocol[i], value(c.a[i]!), aPort, value(c.b[i]!), c.bPort[i]].join(" ")
    assert.isFalse(rows.has(key), `two rows of ${key}`)
    rows.set(key, {
      records: c.recordsAb[i]! + c.recordsBa[i]!,
      ab: c.bytesAb[i]!,
      ba: c.bytesBa[i]!,
      packets: c.packetsAb[i]! + c.packetsBa[i]!,
      raw: c.rawBytes[i]!,
      first: c.first[i]!,
      last: c.last[i]!
    })
  }
  return rows
}

describe("conversation table", () => {
  it("joins both directions in one row, whichever came first, and folds the client's ports", () => {
    for (const records of [
      [tcp, reply(tcp)],
      [reply(tcp), tcp]
    ]) {
      const table = makeTable()
      fold(table, [...records, { ...tcp, sourcePort: 40_001 }, { ...tcp, sourcePort: 40_002 }])
      const row = one(table)
      assert.deepStrictEqual(
        [row.a, row.b, row.bPort, row.folded, row.aPorts, row.recordsAb, row.recordsBa, row.bytesAb, row.bytesBa],
        [0x0a000001, 0x0a000002, 443, 1, 2, 3, 1, 3000, 1000]
      )
      assert.strictEqual(row.aPort, 40_000)
    }
  })

  it("keeps both ports exact when neither is plainly a service", () => {
    const table = makeTable()
    fold(table, [
      { ...tcp, destinationPort: 50_123 },
      { ...tcp, sourcePort: 40_001, destinationPort: 50_123 }
    ])
    assert.strictEqual(table.rows, 2)
    const { columns } = table.emit()
    assert.deepStrictEqual([...columns.folded], [0, 0])
    assert.deepStrictEqual([...columns.aPort].sort(), [40_000, 40_001])
  })

  it("multiplies by the sampling rate and keeps what was exported; pressure multiplies once more", () => {
    const table = makeTable()
    fold(table, [{ ...tcp, sampling: 1000 }, reply({ ...tcp, bytes: 7, packets: 1, sampling: 1 })])
    fold(table, [tcp], 10)
    const row = one(table)
    assert.deepStrictEqual(
      [row.bytesAb, row.bytesBa, row.packetsAb, row.rawBytes, row.rawPackets, row.sampling],
      [1_010_000, 7, 10_100, 2007, 21, 1000]
    )
  })

  it("takes an exporter's own rate where the record says nothing", () => {
    const table = makeTable()
    const batch = toBatch([{ ...tcp, sampling: 0 }])
    table.fold(batch, { skewMs: new Float64Array(1), sampling: Uint32Array.of(64) })
    assert.strictEqual(one(table).bytesAb, 64_000)
  })

  it("counts opening SYNs, single SYN-ACKs, and who began", () => {
    const table = makeTable()
    fold(table, [
      { ...tcp, flags: 0x02, packets: 1 },
      reply({ ...tcp, flags: 0x12, packets: 1, start: base + 120 }),
      // A client's own flow of several packets has SYN and ACK too: no evidence.
      { ...tcp, flags: 0x12, packets: 2, sourcePort: 40_001, start: base + 500 },
      reply({ ...tcp, sourcePort: 40_001, start: base + 480 })
    ])
    const row = one(table)
    // one SYN alone, and one earlier start of two halves with a SYN each, to either side
    assert.deepStrictEqual([row.synAb, row.synBa, row.synAckAb, row.synAckBa], [2, 1, 0, 1])
    assert.deepStrictEqual([row.beganA, row.beganB], [0, 0])
    assert.deepStrictEqual([row.flagsAb, row.flagsBa], [0x12, 0x1b | 0x12])
  })

  it("believes who began where flags say nothing, and never of a connection that was running", () => {
    const table = makeTable()
    const running = { ...tcp, flags: 0x18, sourcePort: 40_001 }
    fold(table, [
      { ...tcp, flags: 0 },
      reply({ ...tcp, flags: 0, start: base + 120 }),
      running,
      reply({ ...running, start: base + 120 })
    ])
    const row = one(table)
    assert.deepStrictEqual([row.beganA, row.beganB, row.synAb, row.synBa], [1, 0, 0, 0])
  })

  it("knows who began though the measure of the exporter's clock changes between its halves", () => {
    const day = 86_400_000
    for (const before of [900, 30_000, -400, 40 * day]) {
      const windows = makeTestWindows()
      const begin = noon + 10_000
      const client = { ...flow, start: begin - before, end: begin + 500 - before }
      foldInto(windows, [client], noon + 12_000, [before])
      foldInto(windows, [{ ...reply(client), start: client.start + 2, end: client.end }], noon + 13_000, [before - 700])
      const [slice] = windows.flush(noon + 14_000, 9)
      const { synAb, synBa, bPort } = slice!.columns
      assert.deepStrictEqual([[...bPort], [...synAb], [...synBa]], [[443], [1], [0]], `off by ${before} ms`)
    }
  })

  it("does not take a direction of another connection for an answer", () => {
    const table = makeTable()
    fold(table, [tcp, reply({ ...tcp, sourcePort: 41_000, start: base + 120 })])
    const row = one(table)
    assert.deepStrictEqual([row.beganA, row.beganB], [0, 0])
  })

  it("adds the reverse half of a biflow to the other direction; its source began", () => {
    const table = makeTable()
    const batch = toBatch([tcp])
    batch.reverseBytes[0] = 5000
    batch.reversePackets[0] = 20
    table.fold(batch)
    const row = one(table)
    assert.deepStrictEqual([row.bytesBa, row.packetsBa, row.rawBytes, row.recordsAb, row.recordsBa], [5000, 20, 6000, 1, 0])
    assert.deepStrictEqual([row.beganA, row.beganB], [1, 0])
  })

  it("keeps ICMP's type and code out of the ports", () => {
    const table = makeTable()
    fold(table, [
      { ...tcp, protocol: 1, sourcePort: 0, destinationPort: 0x0800 },
      reply({ ...tcp, protocol: 1, sourcePort: 0, destinationPort: 0 })
    ])
    const row = one(table)
    assert.deepStrictEqual([row.aPort, row.bPort, row.folded, row.recordsAb, row.recordsBa], [0, 0, 0, 1, 1])
  })

  it("refuses further conversations when there is no room, and says how many records that cost", () => {
    const table = makeTable(2)
    fold(
      table,
      [1, 2, 3, 4].map((i) => ({ ...tcp, source: i }))
    )
    fold(table, [{ ...tcp, source: 1 }])
    assert.strictEqual(table.rows, 2)
    assert.strictEqual(table.all.records, 3)
    assert.deepStrictEqual(table.all.refused, { conversations: 2, noAddress: 0, parts: 0 })
  })

  it("counts records without an address instead of mapping them to 0.0.0.0", () => {
    const table = makeTable()
    fold(table, [{ ...tcp, family: 0 }])
    assert.strictEqual(table.rows, 0)
    assert.strictEqual(table.all.refused.noAddress, 1)
  })

  it("finds every conversation again after its index has grown", () => {
    const table = makeTable(20_000)
    const records = Array.from({ length: 10_000 }, (_, i) => ({ ...tcp, source: tcp.source + i * 256, exporter: i % 3 }))
    for (let i = 0; i < 20; i++) fold(table, records.slice((i % 10) * 1000, (i % 10) * 1000 + 1000))
    assert.strictEqual(table.rows, records.length)
  })

  it("gives room back and holds the same again after a reset, in the same memory", () => {
    const table = makeTable(5000)
    let bytes = 0
    for (let round = 0; round < 3; round++) {
      fold(
        table,
        Array.from({ length: 6000 }, (_, i) => ({ ...tcp, source: i + 1 }))
      )
      assert.strictEqual(table.rows, 5000)
      if (round === 0) bytes = table.all.bytesHeld
      assert.strictEqual(table.all.bytesHeld, bytes)
      table.all.reset(table.window)
      assert.strictEqual(table.rows, 0)
    }
    assert.strictEqual(table.all.refused.conversations, 3000)
  })

  it.prop("equals a plain map of the same records, whatever they are", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    const records = Array.from({ length: 300 }, (): TestRecord => {
      const port = () => [443, 53, 22, 5432, 123, 50_123, 9999, random(65_536), 32_768 + random(50)][random(9)]!
      const start = base + random(100_000)
      const family = random(4) === 0 ? 6 : 4
      return {
        exporter: random(3),
        family,
        source: family === 6 ? 1 + random(40) : (random(2) === 0 ? 0xc0a80000 : 0x0a000000) + random(40),
        destination: family === 6 ? 1 + random(40) : (random(2) === 0 ? 0xc0a80000 : 0x0a000000) + random(40),
        sourcePort: port(),
        destinationPort: port(),
        protocol: [6, 17, 1, 47, 132][random(5)]!,
        flags: random(256),
        bytes: random(1_000_000),
        packets: random(1000),
        start,
        end: start + random(60_000),
        sampling: [0, 1, 1, 64, 1000][random(5)]!
      }
    })
    const table = makeTable()
    for (let at = 0; at < records.length; at += 50) fold(table, records.slice(at, at + 50))
    assert.strictEqual(table.all.records, records.length)
    // IPv6 ends are put in order of their first sight, the model's in order of number: compare without the order.
    const anyOrder = (rows: ReturnType<typeof model>) =>
      new Map(
        [...rows].map(([key, row]) => {
          const [exporter, protocol, a, aPort, b, bPort] = key.split(" ")
          if (aPort === "*" || `${a} ${aPort}` < `${b} ${bPort}`) return [key, row]
          return [[exporter, protocol, b, bPort, a, aPort].join(" "), { ...row, ab: row.ba, ba: row.ab }]
        })
      )
    assert.deepStrictEqual(
      [...anyOrder(rowsOf(table))].sort(([x], [y]) => (x < y ? -1 : 1)),
      [...anyOrder(model(records))].sort(([x], [y]) => (x < y ? -1 : 1))
    )
  })

  it("writes IPv6 addresses as they came", () => {
    const table = makeTable()
    fold(table, [{ ...tcp, family: 6, source: 7, destination: 9 }])
    const { columns, ipv6 } = table.emit()
    assert.strictEqual(ipv6Text(ipv6, columns.a[0]! * 16), "2001:db8::7")
    assert.strictEqual(ipv6Text(ipv6, columns.b[0]! * 16), "2001:db8::9")
    assert.strictEqual(ipv4Text(0x0a000001), "10.0.0.1")
  })
})

describe("folding rule", () => {
  it.prop("is symmetric: both directions name the same ends", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    for (let i = 0; i < 50; i++) {
      const [protocol, x, y, p, q] = [[6, 17, 1][random(3)]!, random(5), random(5), random(65_536), random(65_536)]
      const there = foldEnds(ranks, protocol, x, y, p, q)
      const back = foldEnds(ranks, protocol, y, x, q, p)
      assert.deepStrictEqual([there.folded, there.aPort, there.bPort], [back.folded, back.aPort, back.bPort])
      if (x !== y || p !== q)
        assert.strictEqual(there.sourceIsB, x === y && (p === q || protocol === 1) ? back.sourceIsB : !back.sourceIsB)
    }
  })
})
