import { assert, describe, it } from "@effect/vitest"
import type { WindowSlice } from "#domain/Window.ts"
import { bytes, dataSet, type Field, ipfix, optionsTemplate10, template10, withdrawal10 } from "#pipeline/decode/encode.fixture.ts"
import { aDatagram, aFlow, aTemplate, someRecords } from "../../../test/rig/netflow9-datagrams.ts"
import { accounted, makeTestPlane, tuesday } from "./FlowPlane.fixture.ts"

describe("flow plane", () => {
  it("accounts for every datagram: decoded, malformed, refused or failed", () => {
    const { now, plane } = makeTestPlane({
      exporters: {
        requireApproval: false,
        policies: [{ address: "198.51.100.9", protocol: "netflow9", approval: "blocked", sampling: null }]
      }
    })
    plane.take(aTemplate(now(), 0), "192.0.2.1")
    plane.take(someRecords(now(), 1, 10), "192.0.2.1")
    plane.take(new Uint8Array(0), "192.0.2.1")
    plane.take(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), "203.0.113.5")
    plane.take(someRecords(now(), 1, 10).subarray(0, 14), "192.0.2.1")
    plane.take(someRecords(now(), 1, 10), "198.51.100.9")
    plane.handle({ type: "fail", part: "decode" })
    plane.take(someRecords(now(), 2, 10), "192.0.2.1")
    plane.tick()
    const { datagrams: d, exporters } = plane.report()
    assert.deepStrictEqual([d.datagrams, d.decoded, d.malformed, d.refused, d.failed], [7, 2, 3, 1, 1])
    assert.deepStrictEqual(
      exporters.map((one) => [one.address, one.blocked, one.datagrams]),
      [
        ["192.0.2.1", 0, 3],
        ["198.51.100.9", 1, 0]
      ]
    )
    assert.strictEqual(exporters[0]!.malformed, 1)
    accounted(plane.report())
    // The restarted decoder kept its templates.
    plane.take(someRecords(now(), 3, 10), "192.0.2.1")
    plane.tick()
    assert.strictEqual(plane.report().windows.folded, 20)
  })

  it("decodes at once with templates that were stored, and tells those it learns", () => {
    const first = makeTestPlane()
    first.plane.take(aTemplate(first.now(), 0), "192.0.2.1")
    first.plane.tick()
    const told = first.said.flatMap((message) => (message.type === "templates" ? message.learned : []))
    assert.strictEqual(told.length, 1)
    const second = makeTestPlane({ templates: told })
    second.plane.take(someRecords(second.now(), 1, 10), "192.0.2.1")
    second.plane.tick()
    assert.strictEqual(second.plane.report().windows.folded, 10)
    assert.isFalse(second.said.some((message) => message.type === "templates"))
  })

  it("tells the rates that were announced and what was withdrawn, and corrects by rates that were stored", () => {
    const fields: ReadonlyArray<Field> = [
      [0, 8, 4],
      [0, 12, 4],
      [0, 1, 4],
      [0, 2, 4]
    ]
    const seconds = Math.floor(tuesday / 1000)
    const flows = dataSet(256, bytes().u32(0x0a000001).u32(0x0a000002).u32(1000).u32(10).done())
    const said = dataSet(300, bytes().u32(1).u32(100).done())
    const first = makeTestPlane()
    first.plane.take(
      ipfix({ seconds }, template10(256, fields), optionsTemplate10(300, [[0, 149, 4]], [[0, 34, 4]]), said),
      "192.0.2.1"
    )
    first.plane.take(ipfix({ seconds }, withdrawal10(3, true)), "192.0.2.1")
    first.plane.tick()
    const told = first.said.flatMap((message) => (message.type === "templates" ? [message] : []))
    assert.deepStrictEqual(
      told[0]!.announced.map((one) => [one.exporter, one.domain, one.rate]),
      [["192.0.2.1", 1, 100]]
    )
    assert.deepStrictEqual(told[0]!.withdrawn, [{ exporter: "192.0.2.1", domain: 1, id: 0, kind: "options" }])
    const templates = told[0]!.learned
    const second = makeTestPlane({ templates, announcements: told[0]!.announced })
    const third = makeTestPlane()
    third.plane.take(ipfix({ seconds }, flows), "192.0.2.1")
    third.plane.handle({ type: "adopt", templates, announcements: told[0]!.announced })
    second.plane.take(ipfix({ seconds }, flows), "192.0.2.1")
    for (const { plane, said, slices } of [second, third]) {
      plane.tick()
      plane.handle({ type: "flush" })
      assert.strictEqual(slices()[0]!.columns.bytesAb[0]! + slices()[0]!.columns.bytesBa[0]!, 100_000)
      assert.isFalse(said.some((message) => message.type === "templates"))
    }
  })

  it("counts records that waited for their template once it comes, for their own exporter", () => {
    const { now, plane, slices } = makeTestPlane()
    plane.take(someRecords(now(), 1, 10), "192.0.2.7")
    plane.take(someRecords(now(), 1, 10), "192.0.2.8")
    plane.tick()
    assert.deepStrictEqual(
      plane.report().exporters.map((one) => [one.state, one.heldSets]),
      [
        ["waiting", 1],
        ["waiting", 1]
      ]
    )
    plane.take(aTemplate(now(), 0), "192.0.2.8")
    plane.handle({ type: "flush" })
    assert.deepStrictEqual(
      slices().map((slice) => [slice.records, slice.exporters[0]?.address]),
      [[10, "192.0.2.8"]]
    )
  })

  it("does what was decided to records whose template another worker brought, and counts them for their exporter", () => {
    const exporters = {
      requireApproval: true,
      policies: [
        { address: "192.0.2.8", protocol: "netflow9", approval: "approved", sampling: { rate: 50, mode: "replaces" } },
        { address: "192.0.2.9", protocol: "netflow9", approval: "approved", sampling: null }
      ]
    } as const
    const bringer = makeTestPlane()
    const { now, plane, slices } = makeTestPlane({ exporters })
    // The last one's template comes when it is forgotten: nothing of what it had said counts.
    const senders = ["192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.10"]
    for (const sender of senders) {
      plane.take(someRecords(now(), 1, 10), sender)
      bringer.plane.take(aTemplate(now(), 0), sender)
    }
    plane.handle({ type: "forget-exporter", address: "192.0.2.10", protocol: "netflow9" })
    bringer.plane.tick()
    const told = bringer.said.flatMap((message) => (message.type === "templates" ? [message] : []))
    plane.handle({ type: "adopt", templates: told[0]!.learned, announcements: told[0]!.announced })
    plane.handle({ type: "flush" })
    const [slice] = slices()
    assert.deepStrictEqual(
      plane.report().exporters.map((one) => [one.address, one.records, one.withheld]),
      [
        ["192.0.2.7", 10, 10],
        ["192.0.2.8", 10, 0],
        ["192.0.2.9", 10, 0]
      ]
    )
    assert.deepStrictEqual([slice!.records, slice!.exporters.map(({ address }) => address)], [20, ["192.0.2.8", "192.0.2.9"]])
    const rates = new Set(Array.from(slice!.columns.sampling, (rate, row) => `${slice!.columns.exporter[row]} ${rate}`))
    assert.deepStrictEqual([...rates].sort(), ["0 50", "1 1"])
    accounted(plane.report())
  })

  it("counts for each exporter what found no room and what came too late", () => {
    const { now, plane, wait } = makeTestPlane({ maxConversations: 100 })
    for (const sender of ["192.0.2.1", "192.0.2.2"]) plane.take(aTemplate(now(), 0), sender)
    const flows = (first: number, count: number) => Array.from({ length: count }, (_, n) => ({ ...aFlow, source: first + n }))
    for (let n = 0; n < 100; n += 20) plane.take(aDatagram(now(), n, flows(n, 20)), "192.0.2.1")
    plane.tick()
    for (let n = 100; n < 160; n += 20) plane.take(aDatagram(now(), n, flows(n, 20)), "192.0.2.1")
    plane.take(aDatagram(now(), 0, flows(1000, 7)), "192.0.2.2")
    plane.tick()
    wait(900_000)
    plane.handle({ type: "flush" })
    plane.take(
      aDatagram(
        now(),
        0,
        flows(0, 3).map((one) => ({ ...one, startedAgo: 901_000, endedAgo: 900_000 }))
      ),
      "192.0.2.2"
    )
    plane.tick()
    assert.deepStrictEqual(
      plane.report().exporters.map((one) => [one.address, one.recordsRefused, one.recordsLate]),
      [
        ["192.0.2.1", 60, 0],
        ["192.0.2.2", 7, 3]
      ]
    )
    assert.strictEqual(plane.report().windows.refusedConversations, 67)
    accounted(plane.report())
    plane.handle({ type: "forget-exporter", address: "192.0.2.1", protocol: "netflow9" })
    plane.take(someRecords(now(), 1, 10), "192.0.2.1")
    assert.strictEqual(plane.report().exporters.find((one) => one.address === "192.0.2.1")!.recordsRefused, 0)
  })

  it("places a capture of years ago, and the live traffic after it, by when each arrived", () => {
    const { now, plane, slices } = makeTestPlane()
    const years = 3 * 365 * 24 * 3600_000
    plane.take(aTemplate(now() - years, 0), "192.0.2.1")
    plane.take(aDatagram(now() - years, 1, [aFlow]), "192.0.2.1")
    plane.take(aDatagram(now(), 2, [aFlow]), "192.0.2.1")
    plane.take(aDatagram(now() - years, 3, [aFlow]), "192.0.2.1")
    plane.handle({ type: "flush" })
    assert.strictEqual(slices()[0]?.records, 3)
    assert.strictEqual(slices()[0]?.columns.last[0], now() - 1000)
    assert.deepStrictEqual([plane.report().windows.late, plane.report().windows.implausible], [0, 0])
  })

  it("writes a slice every flush interval, and the last one when the window's lateness is over", () => {
    const { accept, now, plane, wait } = makeTestPlane()
    const seen: Array<WindowSlice> = []
    plane.take(aTemplate(now(), 0), "192.0.2.1")
    let sequence = 0
    for (let second = 0; second < 420; second++) {
      if (second % 30 === 0) plane.take(aDatagram(now(), ++sequence, [aFlow]), "192.0.2.1")
      wait(1000)
      plane.tick()
      seen.push(...accept())
    }
    const start = tuesday - (tuesday % 300_000)
    const firstWindow = seen.filter((slice) => slice.windowStart === start)
    assert.strictEqual(firstWindow.filter((slice) => slice.final).length, 1)
    assert.isTrue(firstWindow.at(-1)!.final)
    assert.strictEqual(
      seen.reduce((sum, slice) => sum + slice.records, 0),
      sequence
    )
    accounted(plane.report())
  })

  it("keeps one record of N while the store lags and conversations fill up, and all again once it is accepted", () => {
    const { now, plane, slices } = makeTestPlane({ maxConversations: 100, samplingUnderPressure: 10 })
    const from = (n: number) => aDatagram(now(), n, [{ ...aFlow, source: n }])
    plane.take(aTemplate(now(), 0), "192.0.2.1")
    for (const n of [1, 2]) {
      plane.take(from(n), "192.0.2.1")
      plane.handle({ type: "flush" })
    }
    for (let n = 3; n < 93; n++) plane.take(from(n), "192.0.2.1")
    plane.handle({ type: "flush" })
    plane.tick()
    assert.strictEqual(plane.report().windows.pressureSampling, 10)
    for (let n = 0; n < 1000; n++) plane.take(from(5), "192.0.2.1")
    plane.handle({ type: "windows-accepted", sequences: [0, 1] })
    plane.tick()
    assert.strictEqual(plane.report().windows.pressureSampling, 1)
    const marked = slices().at(-1)!
    assert.strictEqual(marked.pressureSampling, 10)
    const { folded, skipped } = plane.report().windows
    assert.strictEqual(folded + skipped, 1092)
    assert.isAbove(skipped, 700)
    assert.strictEqual(plane.report().exporters[0]!.recordsLeftOut, skipped)
    accounted(plane.report())
  })
})
