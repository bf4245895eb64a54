/** The command's own measure is measured: what is right is called right, and what is broken on purpose makes the figure fall. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { WindowSlice } from "#domain/Window.ts"
import type { Edge } from "#pipeline/resolve/collapse/edges.ts"
import { freshDatabase } from "../../../test/rig/Database.ts"
import { type Config, resolveConfig } from "../config.ts"
import type { MakeCollapse } from "../corridors/flow.ts"
import { collapser } from "../flow/make-flows.ts"
import { run } from "./run.ts"
import { scenarios } from "./scenarios.ts"

const SECONDS = 8

const configuration = (): Config => Result.getOrThrow(resolveConfig({ fileText: undefined, filePath: "", env: {} })).config

const answerOf = (names: ReadonlyArray<string>, collapse?: MakeCollapse) =>
  Effect.gen(function* () {
    const { url } = yield* freshDatabase("template0")
    const config = configuration()
    return yield* run({
      config: { ...config, database: { ...config.database, url } },
      scenarios: scenarios.filter(({ name }) => names.includes(name)),
      seed: 3,
      seconds: SECONDS,
      progress: () => undefined,
      ...(collapse === undefined ? {} : { collapse })
    })
  }).pipe(Effect.scoped)

/** Every exporter's octets count, as if nobody chose an owner. */
const everybodyCounts: MakeCollapse = (...settings) => {
  const collapse = collapser(...settings)
  const count = (edge: Edge): Edge => ({
    ...edge,
    bytesToServer: edge.bytesToServer + edge.observers.reduce((sum, { bytes }) => sum + bytes, 0)
  })
  return (slice) => {
    const edges = collapse(slice)
    return { ...edges, each: (take) => edges.each((edge, ...ends) => take(count(edge), ...ends)) }
  }
}

/** Who spoke first is taken for the one who accepted, as surely as if a SYN had said so. */
const theOtherWayRound: MakeCollapse = (...settings) => {
  const collapse = collapser(...settings)
  return (slice) => {
    const { columns: c } = slice
    const columns: WindowSlice["columns"] = {
      ...c,
      synAb: c.synBa.map((count, row) => count + c.beganB[row]!),
      synBa: c.synAb.map((count, row) => count + c.beganA[row]!),
      synAckAb: c.synAckBa,
      synAckBa: c.synAckAb,
      beganA: c.beganB,
      beganB: c.beganA
    }
    return collapse({ ...slice, columns })
  }
}

describe("flowlens accuracy", () => {
  it.live("meets its targets where exporters are complete, and falls when duplicates are counted or evidence is turned round", () =>
    Effect.gen(function* () {
      const [whole, twice, turned] = yield* Effect.all(
        [
          answerOf(["complete", "restarts", "sflow"]),
          answerOf(["duplicates"], everybodyCounts),
          answerOf(["complete"], theOtherWayRound)
        ],
        { concurrency: 3 }
      )
      assert.deepStrictEqual(
        whole.targets.filter(({ met }) => !met),
        []
      )
      assert.isTrue(whole.met)
      assert.strictEqual(whole.totals.datagrams, whole.played.datagrams)

      assert.isFalse(twice.met)
      assert.isAbove(twice.summary.volumeOver, 0.4)
      assert.include(
        twice.targets.filter(({ met }) => !met).map(({ name }) => name),
        "volume, unsampled, worst scenario"
      )

      assert.isFalse(turned.met)
      assert.isBelow(turned.summary.direction.right / turned.summary.direction.of, 0.95)
      assert.isAbove(turned.wrong.filter(({ kind }) => kind === "reversed").length, 0)
    })
  )
})
