import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { defaultInternalRanges } from "#domain/Address.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, edge, monday, sliceOf } from "../../../test/rig/slices.ts"
import { newestWindow } from "./newest-window.ts"

const window = 300_000
const write = (n: number, final: boolean, traffic: boolean) =>
  Resolver.use((resolver) =>
    resolver.write(
      sliceOf(collapsed(traffic ? [edge({ client: "10.1.0.1", server: "10.1.0.2", first: monday, last: monday + window })] : []), {
        windowStart: monday + n * window,
        final
      })
    )
  )
const newest = Effect.gen(function* () {
  const found = yield* newestWindow(yield* SqlClient.SqlClient)
  return found === undefined ? undefined : (found.start.getTime() - monday) / window
})

const stores = Resolver.layer({
  assets: { minFlows: 1, autoCreate: true },
  dependencies: { minFlows: 1 },
  internalRanges: defaultInternalRanges,
  serviceName: () => undefined
}).pipe(Layer.provideMerge(layerTestDatabase))

layer(stores, { excludeTestServices: true })("the newest window", (it) => {
  it.effect(
    "is the newest final one; while that one is empty the one that fills; never one before it",
    Effect.fnUntraced(function* () {
      assert.strictEqual(yield* newest, undefined)
      yield* write(0, true, true)
      yield* write(1, false, true)
      assert.strictEqual(yield* newest, 0)
      yield* write(1, true, false)
      yield* write(2, true, false)
      assert.strictEqual(yield* newest, undefined, "what ended two windows ago is not now")
      yield* write(3, false, true)
      assert.strictEqual(yield* newest, 3)
      yield* write(3, true, true)
      yield* write(4, false, true)
      assert.strictEqual(yield* newest, 3)
    })
  )
})
