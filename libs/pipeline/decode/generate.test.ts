import { assert, describe, it } from "@effect/vitest"
import { canGenerate, needsUptime } from "./can-generate.ts"
import { type Field, type Random, seeded } from "./encode.fixture.ts"
import { makeSharedBatch } from "./FlowBatch.ts"
import { interpret, makePositions } from "./interpret.ts"
import { compilePlan, REVERSE_PEN, VARIABLE_LENGTH } from "./plan.ts"
import { makeReading, type Reading } from "./Reading.ts"
import { run, runnerOf } from "./Runner.ts"
import { rowsOf } from "./rows.fixture.ts"
import { announce, makeSampling } from "./sampling.ts"

/** Elements that feed columns, with the lengths exporters use. */
const elements: ReadonlyArray<readonly [element: number, lengths: ReadonlyArray<number>]> = [
  [8, [4]],
  [12, [4]],
  [27, [16]],
  [28, [16]],
  [7, [2, 1]],
  [11, [2, 1]],
  [182, [2]],
  [183, [2]],
  [4, [1]],
  [6, [1, 2]],
  [32, [2]],
  [139, [2]],
  [176, [1]],
  [177, [1]],
  [1, [1, 2, 3, 4, 5, 6, 7, 8]],
  [85, [8]],
  [23, [4]],
  [2, [4, 8]],
  [86, [8]],
  [232, [4]],
  [299, [4]],
  [22, [4]],
  [21, [4]],
  [150, [4]],
  [151, [4]],
  [152, [8]],
  [153, [8]],
  [323, [8]],
  [10, [2, 4]],
  [14, [2, 4]],
  [252, [4]],
  [61, [1]],
  [34, [4]],
  [50, [4]],
  [48, [1, 2]],
  [302, [4, 8]],
  [5, [1]],
  [16, [2, 4]],
  [15, [4]],
  [56, [6]],
  [82, [20]],
  [0, [0]]
]

const randomFields = (random: Random, variable: boolean): ReadonlyArray<Field> => {
  const chosen = elements.filter(() => random.below(3) !== 0).map(([element, lengths]): Field => [0, element, random.pick(lengths)])
  if (random.below(4) === 0) chosen.push([REVERSE_PEN, random.pick([1, 2, 85, 86]), 4])
  if (variable)
    for (let i = random.below(3); i >= 0; i--) chosen.push([random.pick([0, 6871]), random.pick([82, 371]), VARIABLE_LENGTH])
  for (let i = chosen.length - 1; i > 0; i--) {
    const other = random.below(i + 1)
    ;[chosen[i], chosen[other]] = [chosen[other]!, chosen[i]!]
  }
  return [...chosen, [0, 3, 1]]
}

/** Octets of which many are 0 and 1, so that empty values and ICMP occur; variable lengths are short. */
const fill = (random: Random, reading: Reading, length: number): void => {
  for (let i = 0; i < length; i++) {
    const kind = random.below(8)
    reading.bytes[i] = kind < 3 ? 0 : kind < 5 ? random.pick([1, 58, 6, 255]) : random.below(256)
  }
  reading.end = length
}

const batch = makeSharedBatch(512)
const shared = batch.shared!

const prepared = (random: Random): Reading => {
  batch.length = 0
  const reading = makeReading(batch, () => {})
  reading.exporterIndex = 3
  reading.exportMs = 1_700_000_000_000
  reading.uptime = random.u32()
  reading.hasUptime = true
  reading.sampling = makeSampling()
  announce(reading.sampling, 77, 1, 0)
  announce(reading.sampling, 55, -1, 0)
  reading.rate = 55
  return reading
}

describe("generated code", () => {
  for (const variable of [false, true]) {
    it(`makes the rows the interpreter makes, for ${variable ? "variable" : "fixed"}-length templates`, () => {
      const positions = makePositions()
      let generated = 0
      let records = 0
      for (let seed = 1; seed <= 400; seed++) {
        const random = seeded(seed)
        const fields = randomFields(random, variable)
        const plan = compilePlan(fields)
        if (!canGenerate(plan)) continue
        const runner = runnerOf(plan, shared)
        assert.isDefined(runner)
        generated++
        const reading = prepared(random)
        fill(random, reading, plan.minimum * 20)
        const most = Math.floor(reading.end / plan.minimum)
        const read = interpret(plan, reading, positions, 0, reading.end, most)
        const expected = rowsOf(reading.batch)
        reading.batch.length = 0
        const ran = run(runner!, reading, 0, reading.end, most)
        const label = `seed ${seed}: ${JSON.stringify(fields)}`
        assert.strictEqual(ran < 0, read < 0, label)
        if (read >= 0) assert.strictEqual(ran, read, label)
        assert.deepStrictEqual(rowsOf(reading.batch), expected, label)
        records += expected.length
      }
      assert.isAbove(generated, 100)
      assert.isAbove(records, 500)
    })
  }

  it("stops where the caller says", () => {
    const plan = compilePlan([
      [0, 11, 2],
      [0, 82, VARIABLE_LENGTH]
    ])
    const reading = prepared(seeded(1))
    reading.bytes.set([0, 1, 0, 0, 2, 0, 0, 3, 0])
    assert.strictEqual(run(runnerOf(plan, reading.batch.shared!)!, reading, 0, 9, 2), 6)
    assert.deepStrictEqual(
      rowsOf(reading.batch).map((row) => row.destinationPort),
      [1, 2]
    )
  })

  it("is shared by layouts that differ only in what nobody reads", () => {
    const a = compilePlan([
      [0, 1, 4],
      [0, 5, 1]
    ])
    const b = compilePlan([
      [0, 1, 4],
      [0, 9, 1]
    ])
    assert.strictEqual(runnerOf(a, shared), runnerOf(b, shared))
  })

  it("is not made for what is out of the ordinary", () => {
    for (const fields of [
      [[0, 315, 64]],
      [
        [0, 7, 2],
        [0, 7, 2]
      ],
      [[0, 1, VARIABLE_LENGTH]],
      [[0, 154, 8]],
      [[0, 311, 8]],
      [
        [0, 21, 4],
        [0, 160, 8]
      ]
    ] as ReadonlyArray<ReadonlyArray<Field>>) {
      assert.isUndefined(runnerOf(compilePlan(fields), shared), JSON.stringify(fields))
    }
  })

  it("says when it needs the exporter's uptime", () => {
    assert.isTrue(needsUptime(compilePlan([[0, 22, 4]])))
    assert.isFalse(needsUptime(compilePlan([[0, 152, 8]])))
  })
})
