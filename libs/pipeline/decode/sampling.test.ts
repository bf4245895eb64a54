import { assert, describe, it } from "@effect/vitest"
import { bytes, dataSet, type Field, ipfix, optionsTemplate10, template10, uint } from "./encode.fixture.ts"
import { makeBench } from "./rows.fixture.ts"
import { announce, defaultRate, makeSampling, rateOfSampler, wholeRate } from "./sampling.ts"

describe("announced sampling rates", () => {
  it("for nobody in particular stand in for unknown samplers and unnamed ones", () => {
    const sampling = makeSampling()
    announce(sampling, 100, -1, 0)
    announce(sampling, 2000, 5, 0)
    assert.strictEqual(rateOfSampler(sampling, 5), 2000)
    assert.strictEqual(rateOfSampler(sampling, 6), 100)
    assert.strictEqual(defaultRate(sampling), 100)
    assert.strictEqual(rateOfSampler(undefined, 5), 0)
  })

  it("say what is news", () => {
    const sampling = makeSampling()
    assert.deepStrictEqual(
      [100, 100, 200].map((rate) => announce(sampling, rate, 1, 0)),
      [true, false, true]
    )
    assert.deepStrictEqual(
      [7, 7].map((rate) => announce(sampling, rate, -1, 0)),
      [true, false]
    )
  })

  it("are bounded in number", () => {
    const sampling = makeSampling()
    for (let i = 0; i < 10_000; i++) announce(sampling, 2, i, 0)
    assert.isAtMost(sampling.bySampler.size, 4096)
  })

  it("are whole, at least 1, and 0 when they say nothing", () => {
    assert.deepStrictEqual(
      [0, -1, Number.NaN, 0.2, 1.5, 99.6, Number.POSITIVE_INFINITY].map(wholeRate),
      [0, 0, 0, 1, 2, 100, 4294967295]
    )
  })

  it("hold for an interface only where the interface is the scope", () => {
    const fields: ReadonlyArray<Field> = [[0, 10, 4]]
    const flow = (bench: ReturnType<typeof makeBench>) => {
      bench.feed(ipfix({}, template10(256, fields), dataSet(256, uint(9, 4))))
      return bench.take()[0]?.sampling
    }
    const option: ReadonlyArray<Field> = [
      [0, 10, 4],
      [0, 34, 4]
    ]
    const say = (index: number, rate: number) => dataSet(300, bytes().u32(1).u32(index).u32(rate).done())
    const plain = makeBench()
    plain.feed(ipfix({}, optionsTemplate10(300, [[0, 149, 4]], option), say(9, 50), say(3, 60)))
    assert.strictEqual(flow(plain), 60)
    const scoped = makeBench()
    scoped.feed(
      ipfix(
        {},
        optionsTemplate10(
          300,
          [
            [0, 149, 4],
            [0, 10, 4]
          ],
          [[0, 34, 4]]
        ),
        say(9, 50),
        say(3, 60)
      )
    )
    assert.strictEqual(flow(scoped), 50)
  })
})

describe("IPFIX by generated code", () => {
  it("has no times as long as the exporter's start is unknown, and right ones after", () => {
    const bench = makeBench()
    const fields: ReadonlyArray<Field> = [
      [0, 22, 4],
      [0, 21, 4],
      [0, 182, 2]
    ]
    const set = dataSet(256, ...Array.from({ length: 100 }, () => bytes().u32(1000).u32(3000).u16(77).done()))
    const began = 1_700_000_000_000 - 10_000
    for (let i = 0; i < 2; i++) bench.feed(ipfix({}, template10(256, fields), set))
    assert.deepStrictEqual([...new Set(bench.take().map((row) => `${row.start} ${row.end} ${row.sourcePort}`))], ["0 0 77"])
    bench.feed(ipfix({}, optionsTemplate10(300, [[0, 149, 4]], [[0, 160, 8]]), dataSet(300, bytes().u32(1).u64(began).done()), set))
    assert.deepStrictEqual([...new Set(bench.take().map((row) => `${row.start} ${row.end}`))], [`${began + 1000} ${began + 3000}`])
  })
})
