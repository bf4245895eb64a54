import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { seeded } from "../demo/random.ts"
import { compare, samplingBound } from "./compare.ts"
import type { Drawn } from "./measure.ts"
import { scenarios } from "./scenarios.ts"
import { makeTruth, type Truth } from "./Truth.ts"
import { makeWorld, type World } from "./World.ts"

const worldOf = (truths: ReadonlyArray<Truth>): World => ({
  scenario: "here",
  exporters: [],
  packets: [],
  pointsOf: () => [],
  truths: new Map(truths.map((one) => [`${one.client}>${one.server}:${one.port}/${one.protocol}`, one])),
  addresses: new Set(truths.flatMap(({ client, server }) => [client, server]))
})

const truth = (client: string, server: string, port: number, octets: number, either = false): Truth =>
  Object.assign(makeTruth({ scenario: "here", service: "a service", client, server, port, protocol: 6, either }), {
    bytesToServer: octets,
    syn: true,
    packets: 1
  })

const drawn = (client: string, server: string, port: number, bytes: number): Drawn => ({
  client,
  server,
  port,
  protocol: 6,
  bytes,
  why: () => Effect.succeed(undefined)
})

describe("what was drawn against what is true", () => {
  it("calls a turned dependency reversed, a strange one invented, one that is not there missing, and says by how much volumes are off", () => {
    const world = worldOf([truth("a", "b", 443, 1000), truth("c", "b", 443, 1000), truth("d", "b", 443, 2000)])
    const figures = compare(world, false, [drawn("a", "b", 443, 1500), drawn("b", "c", 50_000, 1000), drawn("e", "b", 22, 60)])
    assert.deepStrictEqual(figures.recall, { right: 1, of: 3 })
    assert.deepStrictEqual(figures.precision, { right: 1, of: 3 })
    assert.deepStrictEqual(figures.direction, { right: 1, of: 2 })
    assert.deepStrictEqual(figures.directionSyn, { right: 1, of: 2 })
    assert.deepStrictEqual(figures.wrong.map(({ kind }) => kind).toSorted(), [
      "invented",
      "missing",
      "missing",
      "reversed",
      "volume"
    ])
    assert.strictEqual(figures.volume.offBytes, 500 + 1000 + 2000)
    assert.strictEqual(figures.volume.overBytes, 500)
  })

  it("takes either way round where both ends speak first, but not both", () => {
    const world = worldOf([truth("a", "b", 5405, 10, true)])
    assert.deepStrictEqual(compare(world, false, [drawn("b", "a", 5405, 10)]).precision, { right: 1, of: 1 })
    const both = compare(world, false, [drawn("b", "a", 5405, 10), drawn("a", "b", 5405, 10)])
    assert.deepStrictEqual(both.precision, { right: 1, of: 2 })
  })

  it("passes over what is drawn between others", () => {
    const world = worldOf([truth("a", "b", 443, 10)])
    assert.deepStrictEqual(compare(world, false, [drawn("a", "b", 443, 10), drawn("x", "y", 1, 1)]).precision, { right: 1, of: 1 })
  })
})

describe("the bound of a random sampler", () => {
  it("holds the estimates of an honest one, and not those of one that counts a tenth too much", () => {
    const random = seeded(5)
    const [rate, packets, octets] = [50, 40_000, 1000]
    const bound = samplingBound(packets * octets ** 2 * (rate - 1), octets * rate, 0.001)
    let [honest, boasting] = [0, 0]
    for (let round = 0; round < 50; round++) {
      let taken = 0
      for (let i = 0; i < packets; i++) if (random.next() < 1 / rate) taken++
      const off = (factor: number) => Math.abs(taken * rate * octets * factor - packets * octets)
      if (off(1) <= bound) honest++
      if (off(1.2) <= bound) boasting++
    }
    assert.strictEqual(honest, 50)
    assert.isBelow(boasting, 10)
  })
})

describe("the worlds", () => {
  it("are the same for the same seed, and every dependency has packets that an exporter sees", () => {
    for (const [number, scenario] of scenarios.entries()) {
      const world = makeWorld(scenario.name, number, 1, 6000, scenario.build)
      const again = makeWorld(scenario.name, number, 1, 6000, scenario.build)
      assert.deepStrictEqual([...again.truths.keys()], [...world.truths.keys()])
      assert.strictEqual(again.packets.length, world.packets.length)
      const seen = new Set(world.packets.filter(({ link }) => world.pointsOf(link).length > 0).map(({ link }) => link.truth))
      for (const one of world.truths.values()) assert.isTrue(seen.has(one), `${scenario.name}: ${one.service}`)
    }
  })

  it("have addresses of their own", () => {
    const owner = new Map<string, string>()
    for (const [number, scenario] of scenarios.entries()) {
      for (const address of makeWorld(scenario.name, number, 1, 3000, scenario.build).addresses) {
        assert.isUndefined(owner.get(address), `${address} is in ${owner.get(address)} and in ${scenario.name}`)
        owner.set(address, scenario.name)
      }
    }
  })
})
