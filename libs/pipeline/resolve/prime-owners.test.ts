import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { ipv4Value } from "#domain/Address.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, edge, sliceOf } from "../../../test/rig/slices.ts"
import { addressKey } from "./collapse/address-key.ts"
import { makeOwners, type Owners } from "./collapse/duplicate.ts"
import type { Edge } from "./collapse/edges.ts"
import { primeOwners } from "./prime-owners.ts"
import { Resolver } from "./Resolver.ts"

const everything = Resolver.layer({
  assets: { minFlows: 1, autoCreate: true },
  dependencies: { minFlows: 1 },
  internalRanges: ["10.0.0.0/8"],
  serviceName: () => undefined
}).pipe(Layer.provideMerge(layerTestDatabase))

const windowMs = 300_000
const keyOf = (address: string) => {
  const four = ipv4Value(address)
  return addressKey(four === undefined ? 6 : 4, four ?? 0, address)
}
const owns = (owners: Owners, one: Edge, direction: 0 | 1, windowStart: number, packets: Readonly<Record<string, number>>) => {
  const names = Object.keys(packets)
  const chosen = owners.choose(
    owners.place(keyOf(one.client), keyOf(one.server), (one.port << 8) | one.protocol),
    direction,
    windowStart,
    windowMs,
    {
      length: names.length,
      exporter: names.map((name) => owners.nameOf(`${name} ipfix`)),
      packets: Object.values(packets),
      bytes: Object.values(packets).map((n) => n * 100),
      sampling: names.map(() => 1)
    }
  )
  return chosen < 0 ? undefined : names[chosen]
}

layer(everything, { excludeTestServices: true })("owners after a restart", (it) => {
  it.effect(
    "are those from before it, each direction its own, whatever was heard first and however long it took",
    Effect.fnUntraced(function* () {
      const now = yield* Clock.currentTimeMillis
      const window = Math.floor(now / windowMs) * windowMs
      const other = { exporter: "192.0.2.9", records: 4, bytes: 1200, packets: 9 }
      const known = [
        { ...edge({ client: "10.1.0.1", server: "10.1.0.2", observers: [other] }), at: window },
        { ...edge({ client: "10.1.0.3", server: "10.1.0.2", observers: [other] }), at: window - 7 * windowMs },
        { ...edge({ client: "fd00::1", server: "fd00::2", observers: [other] }), at: window },
        // asymmetric routing
        { ...edge({ client: "10.1.0.4", server: "10.1.0.2", exporterToClient: "192.0.2.9" }), at: window }
      ]
      for (const { at, ...one } of known)
        yield* Resolver.use((resolver) =>
          resolver.write(sliceOf(collapsed([{ ...one, first: at, last: at + 1000 }]), { windowStart: at }))
        )
      const owners = makeOwners()
      yield* primeOwners(owners, windowMs / 1000)
      assert.strictEqual(owners.size(), 8)
      for (const at of [window, window + windowMs]) {
        for (const one of known) {
          const expected = (direction: 0 | 1) => (direction === 1 ? one.exporterToClient : one.exporter)
          for (const direction of [0, 1] as const) {
            const second = expected(direction) === "192.0.2.9" ? "192.0.2.254" : "192.0.2.9"
            // the other is heard first
            assert.isUndefined(owns(owners, one, direction, at, { [second]: 1 }))
            assert.strictEqual(owns(owners, one, direction, at, { [second]: 12, [expected(direction)]: 9 }), expected(direction))
          }
        }
      }
    })
  )
})
