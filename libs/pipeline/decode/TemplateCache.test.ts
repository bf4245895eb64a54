import { assert, describe, it } from "@effect/vitest"
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import { bytes, dataSet, netflow9, optionsTemplate9, template9, uint } from "./encode.fixture.ts"
import { makeBench } from "./rows.fixture.ts"
import { makeTemplateCache } from "./TemplateCache.ts"

const template = (exporter: string, id: number, length = 4): LearnedTemplate => ({
  exporter,
  version: 9,
  domain: 1,
  id,
  kind: "data",
  scopeFieldCount: 0,
  fields: [[0, 1, length]]
})

describe("the template cache", () => {
  it("says added, unchanged and changed, and counts them", () => {
    const cache = makeTemplateCache()
    assert.strictEqual(cache.learn(template("a", 256), 1), "added")
    assert.strictEqual(cache.learn(template("a", 256), 2), "unchanged")
    assert.strictEqual(cache.learn(template("a", 256, 8), 3), "changed")
    assert.strictEqual(cache.size, 1)
    assert.deepStrictEqual(cache.counters, {
      learned: 1,
      changed: 1,
      refreshed: 1,
      evicted: 0,
      crowdedOut: 0,
      expired: 0,
      withdrawn: 0
    })
  })

  it("refuses what cannot be decoded, wherever it comes from", () => {
    const cache = makeTemplateCache()
    for (const bad of [
      { ...template("a", 255) },
      { ...template("a", 256), fields: [] },
      { ...template("a", 256), fields: [[0, 1, 0]] as const },
      { ...template("a", 256), scopeFieldCount: 2 },
      { ...template("a", 256), fields: new Array(40).fill([0, 1, 2000]) }
    ]) {
      assert.strictEqual(cache.learn(bad, 1), "refused")
    }
    assert.strictEqual(cache.size, 0)
  })

  it("stays within 10,000 templates of 200 exporters, evicting what was used longest ago", () => {
    const cache = makeTemplateCache()
    for (let id = 0; id < 60; id++)
      for (let exporter = 0; exporter < 200; exporter++) cache.learn(template(`10.0.0.${exporter}`, 256 + id), id)
    assert.isAtMost(cache.size, 10_000)
    assert.isAbove(cache.size, 9_600)
    assert.strictEqual(cache.counters.learned - cache.counters.evicted, cache.size)
    assert.strictEqual(cache.counters.crowdedOut, cache.counters.evicted)
    assert.isUndefined(cache.domain("10.0.0.1", 9, 1)?.templates.get(256))
    assert.isDefined(cache.domain("10.0.0.1", 9, 1)?.templates.get(256 + 59))
  })

  it("keeps templates that work while a flood of invented ones passes", () => {
    const cache = makeTemplateCache({ capacity: 1000 })
    const bench = makeBench({ templates: cache })
    const fields = [[0, 1, 4]] as const
    bench.feed(netflow9({}, template9(256, fields), dataSet(256, uint(1, 4))), "192.0.2.1")
    for (let i = 0; i < 5000; i++) cache.learn(template(`203.0.113.${i % 250}`, 256 + i), i)
    assert.isAtMost(cache.size, 1000)
    assert.strictEqual(bench.feed(netflow9({}, dataSet(256, uint(2, 4))), "192.0.2.1").unknownSets, 0)
  })

  it("gives one exporter no more than its share", () => {
    const cache = makeTemplateCache({ capacity: 1000, capacityPerExporter: 10 })
    cache.learn(template("b", 256), 0)
    for (let i = 0; i < 500; i++) cache.learn(template("a", 256 + i), i)
    assert.isAtMost(cache.countByExporter("a"), 10)
    assert.strictEqual(cache.countByExporter("b"), 1)
    assert.isAbove(cache.counters.evicted, 480)
    assert.strictEqual(cache.counters.crowdedOut, 0, "it gave up its own")
  })

  it("forgets by the time it is given what was neither received nor used", () => {
    const cache = makeTemplateCache()
    cache.learn(template("a", 256), 1000)
    cache.learn(template("a", 257), 5000)
    cache.touch(cache.domain("a", 9, 1)!.templates.get(256)!, 6000)
    assert.strictEqual(cache.expire(9000, 3000), 1)
    assert.strictEqual(cache.counters.expired, 1)
    assert.isDefined(cache.domain("a", 9, 1)?.templates.get(256))
    assert.strictEqual(cache.expire(20_000, 3000), 1)
    assert.strictEqual(cache.size, 0)
    assert.isUndefined(cache.domain("a", 9, 1))
  })

  it("decodes the first datagram after a restart with the templates it had exported", () => {
    const before = makeBench()
    before.feed(
      netflow9(
        {},
        template9(256, [
          [0, 11, 2],
          [0, 1, 4]
        ])
      )
    )
    const stored = JSON.parse(JSON.stringify(before.templates.export())) as ReadonlyArray<LearnedTemplate>
    const after = makeBench()
    for (const learned of stored) assert.strictEqual(after.templates.learn(learned, 0), "added")
    const outcome = after.feed(netflow9({}, dataSet(256, bytes().u16(443).u32(99).done())))
    assert.strictEqual(outcome.unknownSets, 0)
    assert.deepStrictEqual(
      after.take().map((row) => [row.destinationPort, row.bytes]),
      [[443, 99]]
    )
  })

  it("scales by the announced sampling rates after a restart", () => {
    const told: Array<Announcement> = []
    const before = makeBench({ onAnnouncement: (announcement) => told.push(announcement) })
    const options = optionsTemplate9(
      300,
      [[0, 1, 4]],
      [
        [0, 48, 1],
        [0, 34, 4]
      ]
    )
    const say = dataSet(300, bytes().u32(1).u8(2).u32(1000).done())
    const fields = [
      [0, 1, 4],
      [0, 48, 1]
    ] as const
    before.feed(netflow9({}, template9(256, fields), options, say))
    before.feed(netflow9({}, say))
    assert.strictEqual(told.length, 1)
    assert.deepStrictEqual(told, before.templates.exportAnnouncements())
    const after = makeBench()
    const stored = JSON.parse(JSON.stringify(told[0])) as Announcement
    assert.isFalse(after.templates.learnAnnouncement(stored))
    for (const learned of before.templates.export()) after.templates.learn(learned, 0)
    assert.isTrue(after.templates.learnAnnouncement(stored))
    after.feed(netflow9({}, dataSet(256, bytes().u32(99).u8(2).done())))
    assert.strictEqual(after.take()[0]?.sampling, 1000)
  })
})
