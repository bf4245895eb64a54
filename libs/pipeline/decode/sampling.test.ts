import { assert, describe, it } from "@effect/vitest"
import {
  bytes,
  dataSet,
  type Field,
  ipfix,
  netflow9,
  optionsTemplate9,
  optionsTemplate10,
  template9,
  template10,
  uint
} from "./encode.fixture.ts"
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

describe("which announced rate counts", () => {
  const key: ReadonlyArray<Field> = [
    [0, 10, 4],
    [0, 14, 4],
    [0, 61, 1],
    [0, 1, 4]
  ]
  const scope: ReadonlyArray<Field> = [[0, 1, 4]]
  const scopeInterface: ReadonlyArray<Field> = [[0, 2, 4]]
  /** System rate 10; sampler 1 takes one of 100, sampler 2 one of 200; interface 5 one of 50, interface 6 has sampler 2. */
  const announced = () => {
    const bench = makeBench()
    const say = (id: number, ...words: ReadonlyArray<number>) =>
      dataSet(
        id,
        words.flatMap((word) => [...uint(word, 4)])
      )
    bench.feed(
      netflow9(
        {},
        optionsTemplate9(300, scope, [[0, 34, 4]]),
        optionsTemplate9(301, scope, [
          [0, 48, 4],
          [0, 50, 4]
        ]),
        optionsTemplate9(302, scopeInterface, [[0, 34, 4]]),
        optionsTemplate9(303, scopeInterface, [[0, 48, 4]]),
        say(303, 6, 2),
        say(300, 0, 10),
        say(301, 0, 1, 100),
        say(301, 0, 2, 200),
        say(302, 5, 50),
        template9(256, key),
        template9(257, [...key, [0, 48, 1]]),
        template9(258, [...key, [0, 48, 1], [0, 34, 4]])
      )
    )
    return bench
  }
  const record = (input: number, output: number, direction = 0) => [...uint(input, 4), ...uint(output, 4), direction, ...uint(9, 4)]

  it("is the record's own, then its sampler's, its interface's, the exporter's", () => {
    for (const rounds of [1, 20]) {
      const bench = announced()
      const rates = (id: number, ...records: ReadonlyArray<ReadonlyArray<number>>) => {
        // Often enough, so that the last of them run as generated code.
        for (let i = 0; i < rounds; i++) bench.feed(netflow9({}, dataSet(id, ...records)))
        return bench
          .take()
          .slice(-records.length)
          .map((row) => row.sampling)
      }
      assert.deepStrictEqual(rates(256, record(5, 9), record(9, 5), record(6, 9), record(9, 9)), [50, 50, 200, 10])
      assert.deepStrictEqual(rates(256, record(5, 6, 0), record(5, 6, 1), record(5, 9, 1)), [50, 200, 50])
      assert.deepStrictEqual(
        rates(257, [...record(5, 9), 1], [...record(5, 9), 2], [...record(5, 9), 3], [...record(9, 9), 3]),
        [100, 200, 50, 10]
      )
      assert.deepStrictEqual(rates(258, [...record(5, 9), 1, ...uint(7, 4)], [...record(5, 9), 1, ...uint(0, 4)]), [7, 100])
    }
  })

  it("counts from the datagram on that brings it: what came before stays without", () => {
    const bench = makeBench()
    const flow = dataSet(256, record(5, 9))
    bench.feed(netflow9({}, template9(256, key), optionsTemplate9(302, scopeInterface, [[0, 34, 4]]), flow))
    bench.feed(netflow9({}, dataSet(302, [...uint(5, 4), ...uint(64, 4)]), flow))
    bench.feed(netflow9({}, dataSet(302, [...uint(5, 4), ...uint(32, 4)]), flow))
    assert.deepStrictEqual(
      bench.take().map((row) => row.sampling),
      [0, 64, 32]
    )
  })

  it("by selector is read in every way PSAMP has of saying it", () => {
    const float64 = (value: number) => [...new Uint8Array(new Float64Array([value]).buffer)].reverse()
    const ways: ReadonlyArray<readonly [ReadonlyArray<Field>, ReadonlyArray<number>, number]> = [
      [
        [
          [0, 305, 4],
          [0, 306, 4]
        ],
        [...uint(10, 4), ...uint(990, 4)],
        100
      ],
      [
        [
          [0, 309, 4],
          [0, 310, 4]
        ],
        [...uint(4, 4), ...uint(1000, 4)],
        250
      ],
      [[[0, 311, 8]], float64(0.002), 500],
      [[[0, 34, 4]], uint(64, 4), 64]
    ]
    for (const [fields, octets, rate] of ways) {
      const bench = makeBench()
      bench.feed(
        ipfix(
          {},
          optionsTemplate10(300, [[0, 302, 8]], fields),
          template10(256, [
            [0, 1, 4],
            [0, 302, 2]
          ]),
          dataSet(300, [...uint(77, 8), ...octets]),
          dataSet(256, [...uint(9, 4), ...uint(77, 2)])
        )
      )
      assert.strictEqual(bench.take()[0]?.sampling, rate)
    }
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
