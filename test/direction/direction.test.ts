/** Scenarios of direction, encoded and played through the collector's own stages; and that nothing but evidence decides. */
import { assert, describe, it } from "@effect/vitest"
import { marginOf } from "#domain/direction.ts"
import type { Edge } from "#pipeline/resolve/collapse/edges.ts"
import { guess } from "#pipeline/resolve/turn-dependencies.ts"
import { randomFrom } from "../rig/flow-records.ts"
import { drawn, play, type Said, type Variant } from "./play.ts"
import { type Scenario, scenarios } from "./scenarios.ts"

/** Any order; the two halves of a connection stay together, as exporters report them, where only together they tell. */
const shuffled =
  (seed: number, paired: boolean) =>
  (records: ReadonlyArray<Said>): ReadonlyArray<Said> => {
    const random = randomFrom(seed)
    const units: Array<Array<Said>> = []
    for (const record of records) {
      const before = units.at(-1)
      if (paired && before?.length === 1 && before[0]!.from === record.to && before[0]!.to === record.from) before.push(record)
      else units.push([record])
    }
    return units
      .map((unit) => [random(1e9), random(2) === 0 ? unit : unit.toReversed()] as const)
      .sort(([one], [other]) => one - other)
      .flatMap(([, unit]) => unit)
  }

const last = (scenario: Scenario, variant: Variant = {}) =>
  play(scenario, variant)
    .at(-1)!
    .map((edge) => drawn(edge, variant.swapped))
    .sort()

describe("direction", () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (_, scenario) => {
    const edges = play(scenario).at(-1)!
    assert.deepStrictEqual(edges.map((edge) => drawn(edge)).sort(), [...scenario.expect].sort())
    for (const edge of edges) assert.isAtLeast(edge.direction, scenario.least ?? 0, drawn(edge))
  })

  it("has the cases it says it has", () => assert.isAtLeast(scenarios.length, 25))

  describe("is the same with the ends exchanged", () => {
    it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (_, scenario) => {
      assert.deepStrictEqual(last(scenario, { swapped: true }), [...scenario.expect].sort())
    })
  })

  /** Whether an edge of the scenario is drawn from its server to its client. */
  const turned = (scenario: Scenario, edge: Edge): boolean => {
    const pairs = new Set(scenario.expect.map((one) => one.split(":")[0]!))
    const one = drawn(edge)
    const [client, server] = one.split(":")[0]!.split(" -> ")
    return !scenario.expect.includes(one) && pairs.has(`${server} -> ${client}`) && !pairs.has(`${client} -> ${server}`)
  }

  describe("is the same in any order of records", () => {
    it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (_, scenario) => {
      for (let seed = 1; seed <= 6; seed++)
        for (const swapped of [false, true]) {
          const variant = { order: shuffled(seed, scenario.paired === true), swapped }
          assert.deepStrictEqual(last(scenario, variant), [...scenario.expect].sort(), `seed ${seed}`)
        }
    })
  })

  describe("is never drawn the other way on more than a port's name, however a window is cut into slices", () => {
    it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (_, scenario) => {
      for (const slices of [2, 3, 50])
        for (const edge of play(scenario, { slices }).flat())
          if (turned(scenario, edge)) assert.isAtMost(edge.direction, Math.max(guess, marginOf(edge.portRank) + 1e-9), drawn(edge))
    })
  })
})
