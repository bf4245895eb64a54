import { assert, describe, it } from "@effect/vitest"
import type { WindowSlice } from "#domain/Window.ts"
import { aDatagram, aFlow, aTemplate } from "../../../test/rig/netflow9-datagrams.ts"
import { accounted, makeTestPlane, tuesday } from "./FlowPlane.fixture.ts"
import type { FlowWorkerSettings } from "./messages.ts"
import { warningsOf } from "./warnings.ts"

const HOUR = 3_600_000

/** A plane ten seconds into a window; slices are accepted at once. */
const makePlane = (change: Partial<FlowWorkerSettings> = {}) => {
  const { accept, now, passed, plane, set, wait } = makeTestPlane(change, tuesday + 10_000)
  const slices: Array<WindowSlice> = []
  let sequence = 0
  return {
    plane,
    slices,
    now,
    passed,
    set,
    /** Seconds go by, with one datagram each from an exporter whose clock is `off` ms behind true time. */
    run: (seconds: number, trueTime: () => number, off = 0, address = "192.0.2.1") => {
      for (let i = 0; i < seconds; i++) {
        wait(1000)
        const exported = trueTime() - off
        if (sequence === 0) plane.take(aTemplate(exported, sequence++), address)
        plane.take(aDatagram(exported, sequence++, [aFlow]), address)
        plane.tick()
        slices.push(...accept())
      }
    },
    finish: async () => {
      await plane.stop()
      slices.push(...accept())
    }
  }
}

/** Records by window, counted from the first. */
const byWindow = (slices: ReadonlyArray<WindowSlice>) => {
  const sums = new Map<number, number>()
  for (const { records, windowStart } of slices) {
    if (records === 0) continue
    const window = (windowStart - tuesday) / 300_000
    sums.set(window, (sums.get(window) ?? 0) + records)
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => a - b))
}

describe("clocks that are wrong", () => {
  it("of an exporter, by hours or seconds, and set in the middle: every record in the window it belongs to", async () => {
    for (const [before, after] of [
      [0, 0],
      [5 * HOUR, 5 * HOUR],
      [-40_000, 30_000],
      [0, 26 * HOUR],
      [3 * 365 * 24 * HOUR, 0]
    ] as const) {
      const one = makePlane()
      one.run(450, one.now, before)
      one.run(450, one.now, after)
      await one.finish()
      const sums = byWindow(one.slices)
      assert.deepStrictEqual(Object.keys(sums), ["0", "1", "2", "3"], `${before} ${after}`)
      // The second a record ended before its export, the cut to seconds, and 30 s at most until a clock set by less than a minute is believed.
      const slack = Math.abs(before - after) > 0 && Math.abs(before - after) < 120_000 ? 80 : 3
      for (const [window, seconds] of [290, 300, 300, 10].entries()) {
        assert.closeTo(sums[window]!, seconds, slack, `${before} ${after}`)
      }
      assert.deepStrictEqual([one.plane.report().windows.late, one.plane.report().windows.future], [0, 0])
      const [exporter] = one.plane.report().exporters
      assert.closeTo(exporter!.clockSkewMs!, after, 1000)
      assert.strictEqual(exporter!.sequenceResets, 0)
    }
  })

  it("ours, set back by an hour: flushes go on, nothing is late, no exporter is taken for silent or for having jumped", async () => {
    const one = makePlane()
    one.run(150, one.passed)
    const warned = one.plane.report()
    one.set(-HOUR)
    const before = one.slices.length
    one.run(180, one.passed)
    assert.isAtLeast(one.slices.length, before + 2)
    const report = one.plane.report()
    assert.deepStrictEqual(report.clock, { steps: 1, lastStepMs: -HOUR })
    assert.deepStrictEqual(
      [report.exporters[0]?.state, report.exporters[0]?.clockJumps, report.exporters[0]?.sequenceLost, report.windows.late],
      ["heard", 0, 0, 0]
    )
    assert.isTrue(warningsOf(report, warned).some(({ code }) => code === "own-clock-set"))
    await one.finish()
    const sums = byWindow(one.slices)
    assert.strictEqual(sums[0], 150)
    assert.strictEqual(sums[-12]! + sums[-11]!, 180)
    assert.closeTo(sums[-12]!, 140, 2)
  })

  it("ours, set forward by an hour: what came before stays where it was, what comes after stands by the new clock", async () => {
    const one = makePlane()
    one.run(150, one.passed)
    one.set(HOUR)
    one.run(100, one.passed)
    await one.finish()
    assert.deepStrictEqual(byWindow(one.slices), { "0": 150, "12": 100 })
    const report = one.plane.report()
    assert.deepStrictEqual([report.windows.late, report.windows.implausible, report.exporters[0]?.clockJumps], [0, 0, 0])
  })

  it("ours, set by less than a second at a time, is no event", () => {
    const one = makePlane()
    for (let i = 0; i < 20; i++) {
      one.run(5, one.passed)
      one.set(i % 2 === 0 ? 200 : -200)
    }
    assert.strictEqual(one.plane.report().clock.steps, 0)
  })
})

describe("an exporter that sends too much", () => {
  it("is cut to its limit, which is counted for it and told, while others are taken whole", () => {
    const { now, plane } = makePlane({ exporterMaxRate: 50 })
    for (const address of ["192.0.2.1", "192.0.2.2"]) plane.take(aTemplate(now(), 0), address)
    for (let i = 1; i <= 500; i++) plane.take(aDatagram(now(), i, [aFlow]), "192.0.2.1")
    for (let i = 1; i <= 40; i++) plane.take(aDatagram(now(), i, [aFlow]), "192.0.2.2")
    const report = plane.report()
    assert.deepStrictEqual(
      report.exporters.map((one) => [one.address, one.records, one.overLimit, one.sequenceLost]),
      [
        ["192.0.2.1", 49, 451, 0],
        ["192.0.2.2", 40, 0, 0]
      ]
    )
    assert.strictEqual(report.datagrams.refusedOverLimit, 451)
    accounted(report)
    assert.deepStrictEqual(
      warningsOf(report, undefined)
        .filter(({ code }) => code === "exporter-over-limit")
        .map(({ subject }) => subject),
      ["exporter 192.0.2.1"]
    )
  })
})
