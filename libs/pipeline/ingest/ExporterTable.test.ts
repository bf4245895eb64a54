import { assert, describe, it } from "@effect/vitest"
import type { SamplingOverride } from "#domain/ExporterPolicy.ts"
import { makeDecodeOutcome } from "../decode/DecodeOutcome.ts"
import { type ExporterPolicyInForce, type ExporterTable, makeExporterTable } from "./ExporterTable.ts"

const nothingHeld = { byExporter: () => ({ sets: 0 }) }
const read = (table: ExporterTable, now: number, held = nothingHeld) =>
  table.read(now, 300_000, {
    held,
    templates: () => 0,
    unknownElements: (_, version) => (version === 9 ? [{ enterprise: 9, element: 12_232, records: 7 }] : [])
  })
const outcome = (sequence: number, records: number) => ({
  ...makeDecodeOutcome(),
  version: 9 as const,
  observationDomain: 7,
  sequence,
  sequenceStep: 1,
  records
})

describe("exporter table", () => {
  it("knows an exporter by address and protocol, and keeps its index", () => {
    const table = makeExporterTable()
    const netflow = table.find("192.0.2.1", "netflow9", 0)
    const sflow = table.find("192.0.2.1", "sflow5", 0)
    assert.notStrictEqual(netflow, sflow)
    assert.strictEqual(table.find("192.0.2.1", "netflow9", 9), netflow)
    for (let i = 0; i < 40; i++) table.find(`198.51.100.${i}`, "ipfix", 0)
    assert.strictEqual(table.address(netflow), "192.0.2.1")
    assert.isAtLeast(table.columns().skewMs.length, 42)
  })

  it("refuses more exporters than it may keep, and blocked ones", () => {
    const table = makeExporterTable({ limit: 2 })
    for (const address of ["192.0.2.1", "192.0.2.2"]) table.heard(table.find(address, "ipfix", 0), outcome(0, 1), 100, 0)
    assert.strictEqual(table.find("192.0.2.3", "ipfix", 0), -1)
    table.configure([{ address: "192.0.2.1", protocol: "ipfix", approval: "blocked", sampling: null }], false)
    assert.strictEqual(table.find("192.0.2.1", "ipfix", 0), -2)
    assert.strictEqual(read(table, 0)[0]?.blocked, 1)
  })

  it("gives places of invented addresses, and of exporters silent for a day, to who knocks a second time", () => {
    const gone: Array<string> = []
    const table = makeExporterTable({ limit: 3, left: (address) => gone.push(address) })
    const knock = (address: string, at: number) => {
      assert.strictEqual(table.find(address, "netflow9", at), -1)
      return table.find(address, "netflow9", at)
    }
    const real = table.find("192.0.2.1", "netflow9", 0)
    table.heard(real, outcome(0, 1), 100, 0)
    for (let i = 0; i < 100; i++) {
      const index = i < 2 ? table.find(`198.51.100.${i}`, "netflow9", i) : knock(`198.51.100.${i}`, i)
      assert.isAtLeast(index, 0)
      table.heard(index, { ...outcome(0, 0), unknownSets: 1, held: 1 }, 100, i)
    }
    assert.strictEqual(table.address(real), "192.0.2.1")
    assert.strictEqual(gone.length, 98)
    for (const address of ["192.0.2.2", "192.0.2.3"])
      table.heard(knock(address, 2000), { ...outcome(0, 0), templates: 1 }, 100, 2000)
    assert.strictEqual(knock("192.0.2.4", 3000), -1)
    const day = 24 * 3600_000
    for (const index of [real, 1, 2]) for (const at of [0, 61_000]) table.heard(index, outcome(1, 1), 100, at)
    table.heard(table.indexOf("192.0.2.2", "netflow9")!, outcome(1, 1), 100, day)
    assert.strictEqual(table.find("192.0.2.5", "netflow9", day + 62_000), -1)
    assert.strictEqual(table.find("192.0.2.5", "netflow9", day + 62_000), -1, "its rows may be in a window")
    table.windowsEmptied(day + 62_500)
    const next = knock("192.0.2.4", day + 64_000)
    assert.isAtLeast(next, 0)
    assert.isDefined(table.indexOf("192.0.2.2", "netflow9"))
  })

  it("says which elements of an exporter nobody knows", () => {
    const table = makeExporterTable()
    for (const protocol of ["netflow9", "sflow5"] as const) table.find("192.0.2.1", protocol, 0)
    assert.deepStrictEqual(
      read(table, 0).map((one) => one.unknownElements),
      [{ "9.12232": 7 }, {}]
    )
  })

  it("takes the shortest delay for the clock's skew, and corrects what is far off by itself, each folded by its own", () => {
    const table = makeExporterTable()
    const index = table.find("192.0.2.1", "netflow9", 0)
    assert.strictEqual(read(table, 0)[0]?.clockSkewMs, null)
    const moves: Array<number> = []
    const moved = () => moves.push(table.columns().skewMs[index]!)
    table.clock(index, 1_000_000, 1_000_500, moved)
    assert.strictEqual(table.columns().skewMs[index], 500)
    table.clock(index, 1_010_000, 1_011_300, moved)
    assert.strictEqual(table.columns().skewMs[index], 500)
    assert.deepStrictEqual(moves, [])
    table.clock(index, 1_020_000, 500_001_020_000, moved)
    assert.deepStrictEqual(moves, [500])
    assert.strictEqual(table.columns().skewMs[index], 500_000_000_000)
    assert.strictEqual(read(table, 0)[0]?.clockSkewMs, 500)
    table.clock(index, 0, 5, moved)
    assert.strictEqual(table.columns().skewMs[index], 500_000_000_000)
    table.clock(index, 1_030_000, 1_030_600, moved)
    assert.deepStrictEqual(moves, [500, 500_000_000_000])
    assert.strictEqual(table.columns().skewMs[index], 500)
  })

  it("is not misled when our own clock is set: skew, silence and rates go on", () => {
    const table = makeExporterTable()
    const index = table.find("192.0.2.1", "netflow9", 0)
    for (let second = 1; second <= 100; second++) {
      table.clock(index, second * 1000 - 300, second * 1000, () => {})
      table.heard(index, outcome(second, 10), 100, second * 1000)
      table.tick(second * 1000)
    }
    const hour = 3_600_000
    table.stepped(hour)
    table.tick(hour + 101_000)
    const [forward] = read(table, hour + 101_000)
    assert.deepStrictEqual([forward?.state, forward?.clockSkewMs, forward?.clockJumps], ["heard", hour + 300, 0])
    assert.closeTo(forward!.recordsPerSecond, 10, 0.4)
    table.stepped(-2 * hour)
    table.heard(index, outcome(101, 10), 100, -hour + 102_000)
    const [backward] = read(table, -hour + 102_000)
    assert.deepStrictEqual([backward?.state, backward?.clockSkewMs, backward?.sequenceLost], ["heard", -hour + 300, 0])
    assert.strictEqual(read(table, -hour + 102_000 + 300_001)[0]?.state, "silent")
  })

  it("turns away what exceeds an exporter's limit, counts it, and does not call it lost on the way", () => {
    const table = makeExporterTable({ maxRate: 100 })
    const index = table.find("192.0.2.1", "netflow9", 0)
    let sequence = 0
    for (let i = 0; i < 250; i++) {
      if (table.admit(index, 1000)) table.heard(index, outcome(sequence, 1), 100, 1000)
      sequence++
    }
    for (let second = 2; second < 6; second++) {
      for (let i = 0; i < 50; i++) {
        assert.isTrue(table.admit(index, second * 1000 + i))
        table.heard(index, outcome(sequence++, 1), 100, second * 1000 + i)
      }
    }
    const [reading] = read(table, 6000)
    assert.deepStrictEqual([reading?.overLimit, reading?.limit, reading?.records, reading?.sequenceLost], [150, 100, 300, 0])
  })

  it("gives the place of a sender that was heard for a moment to another once windows hold nothing of it", () => {
    const table = makeExporterTable({ limit: 2 })
    const real = table.find("192.0.2.1", "netflow5", 0)
    for (let second = 0; second < 90; second++) table.heard(real, outcome(second, 1), 100, second * 1000)
    // A forged datagram that can be decoded needs no template.
    table.heard(table.find("203.0.113.9", "netflow5", 60_000), outcome(0, 1), 100, 60_000)
    for (let knock = 0; knock < 2; knock++) assert.strictEqual(table.find("192.0.2.2", "netflow9", 90_000), -1)
    table.windowsEmptied(91_000)
    assert.strictEqual(table.find("192.0.2.2", "netflow9", 92_000), -1)
    const next = table.find("192.0.2.2", "netflow9", 92_000)
    assert.deepStrictEqual([table.address(real), table.address(next)], ["192.0.2.1", "192.0.2.2"])
  })

  it("says how much it heard, at which rate, and what the sequence numbers miss", () => {
    const table = makeExporterTable()
    const index = table.find("192.0.2.1", "netflow9", 0)
    let sequence = 0
    for (let second = 0; second < 120; second++) {
      for (let i = 0; i < 10; i++) table.heard(index, outcome(sequence++, 30), 1400, second * 1000)
      table.tick(second * 1000)
    }
    sequence += 5
    table.heard(index, outcome(sequence, 30), 1400, 120_000)
    const reading = read(table, 120_000)[0]!
    assert.strictEqual(reading.records, 36_030)
    assert.strictEqual(reading.datagrams, 1201)
    assert.closeTo(reading.recordsPerSecond, 300, 300 * 0.02)
    assert.deepStrictEqual([reading.sequenceLost, reading.sequenceResets], [5, 0])
    assert.deepStrictEqual(reading.observationDomains, [7])
  })

  it("is heard, waits for a template, or is silent", () => {
    const table = makeExporterTable()
    const index = table.find("192.0.2.1", "netflow9", 0)
    table.heard(index, outcome(0, 1), 100, 0)
    assert.strictEqual(read(table, 1000)[0]?.state, "heard")
    const held = { byExporter: () => ({ sets: 3 }) }
    assert.deepStrictEqual([read(table, 1000, held)[0]?.state, read(table, 1000, held)[0]?.heldSets], ["waiting", 3])
    assert.strictEqual(read(table, 300_001)[0]?.state, "silent")
  })

  it("applies the operator's rates to exporters it knows and to those that come", () => {
    const table = makeExporterTable()
    table.find("192.0.2.1", "netflow5", 0)
    const policy = (address: string, rate: number, mode: SamplingOverride["mode"]): ExporterPolicyInForce => ({
      address,
      protocol: "netflow5",
      approval: "new",
      sampling: { rate, mode }
    })
    table.configure([policy("192.0.2.1", 100, "only-unsaid"), policy("192.0.2.2", 200, "replaces")], false)
    table.find("192.0.2.2", "netflow5", 0)
    table.find("192.0.2.2", "sflow5", 0)
    assert.deepStrictEqual([...table.columns().sampling.subarray(0, 3)], [100, 200, 0])
    assert.deepStrictEqual([table.replacedRate(0), table.replacedRate(1)], [0, 200])
    assert.strictEqual(read(table, 0)[0]?.sampling, 0, "what the exporter says is another thing")
    table.configure([], false)
    assert.deepStrictEqual([...table.columns().sampling.subarray(0, 3)], [0, 0, 0])
    assert.strictEqual(table.replacedRate(1), 0)
  })

  it("withholds records of whoever nobody approved, when approval is required, and counts them", () => {
    const table = makeExporterTable()
    const index = table.find("192.0.2.1", "netflow9", 0)
    table.configure([], true)
    assert.isTrue(table.withheld(index))
    table.heard(index, outcome(0, 30), 1400, 0)
    assert.strictEqual(read(table, 0)[0]?.withheld, 30)
    table.configure([{ address: "192.0.2.1", protocol: "netflow9", approval: "approved", sampling: null }], true)
    assert.isFalse(table.withheld(index))
    assert.isTrue(table.withheld(table.find("192.0.2.2", "netflow9", 0)))
  })

  it("says nothing more of a forgotten exporter until it sends again, and then begins at zero", () => {
    const table = makeExporterTable()
    const index = table.find("192.0.2.1", "netflow9", 0)
    table.heard(index, outcome(0, 30), 1400, 0)
    table.forget("192.0.2.1", "netflow9")
    assert.deepStrictEqual(read(table, 0), [])
    assert.strictEqual(table.address(index), "192.0.2.1", "open windows name their rows by it")
    table.heard(table.find("192.0.2.1", "netflow9", 5), outcome(9, 1), 1400, 5)
    assert.deepStrictEqual(
      read(table, 5).map((one) => [one.firstSeen, one.records, one.sequenceLost]),
      [[5, 1, 0]]
    )
  })

  it("counts complaints by reason", () => {
    const table = makeExporterTable()
    const index = table.find("192.0.2.1", "ipfix", 0)
    table.malformed(index, "set-length")
    table.malformed(index, "set-length")
    table.malformed(index, "template-id")
    const reading = read(table, 0)[0]!
    assert.strictEqual(reading.malformed, 3)
    assert.deepStrictEqual(reading.malformedReasons, { "set-length": 2, "template-id": 1 })
  })

  it("counts as lost what was sent while nobody listened, when told where the run before stopped", () => {
    const before = makeExporterTable()
    before.heard(before.find("192.0.2.1", "netflow9", 0), outcome(10, 30), 1400, 1000)
    const [reading] = read(before, 1000)
    assert.deepStrictEqual(reading?.sequences, [[7, 11]])
    const after = makeExporterTable({
      resume: [{ address: "192.0.2.1", protocol: "netflow9", lastSeen: 1000, sequences: reading!.sequences }]
    })
    const index = after.find("192.0.2.1", "netflow9", 5000)
    after.heard(index, outcome(15, 30), 1400, 5000)
    assert.strictEqual(read(after, 5000)[0]?.sequenceLost, 4)
  })
})
