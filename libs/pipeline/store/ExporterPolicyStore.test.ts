import { assert, layer } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { Address } from "#domain/Address.ts"
import { ExporterId } from "#domain/ids.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { ExporterPolicyStore } from "./ExporterPolicyStore.ts"
import { type ExporterSnapshot, ExporterStore } from "./ExporterStore.ts"

const snapshot = (address: string, lastSeen: number): ExporterSnapshot => ({
  address,
  protocol: "netflow9",
  state: "heard",
  firstSeen: 1000,
  lastSeen,
  datagrams: 3,
  octets: 300,
  records: 30,
  recordsPerSecond: 1,
  sequenceLost: 0,
  sequenceResets: 0,
  malformed: 0,
  malformedReasons: {},
  heldSets: 0,
  heldDropped: 0,
  templates: 1,
  sampling: 0,
  clockSkewMs: 0,
  observationDomains: [],
  unknownElements: {},
  sequences: []
})
const stores = Layer.mergeAll(ExporterStore.layer, ExporterPolicyStore.layer).pipe(Layer.provideMerge(layerTestDatabase))

layer(stores, { excludeTestServices: true })("exporter policies", (it) => {
  it.effect(
    "begin undecided, change one setting at a time, and say what was before",
    Effect.fnUntraced(function* () {
      const exporters = yield* ExporterStore
      const policies = yield* ExporterPolicyStore
      yield* exporters.upsert([snapshot("192.0.2.1", 2000)])
      const [heard] = yield* exporters.list
      assert.deepStrictEqual([heard!.policy.approval, heard!.policy.decidedBy, heard!.policy.silentAlarm], ["new", null, true])
      assert.deepStrictEqual(yield* policies.inForce, [])
      const first = yield* policies.change(heard!.id, { approval: "approved", name: "edge" }, "mia")
      assert.deepStrictEqual([first.address, first.name, first.policy.approval], ["192.0.2.1", null, "new"])
      yield* policies.change(heard!.id, { sampling: { rate: 4_294_967_295, mode: "replaces" }, silenceSeconds: 60 }, "noa")
      yield* policies.change(heard!.id, { silentAlarm: false }, "noa")
      const [after] = yield* exporters.list
      assert.strictEqual(after!.name, "edge")
      const { approval, sampling, silenceSeconds, silentAlarm, decidedBy } = after!.policy
      assert.deepStrictEqual(
        { approval, sampling, silenceSeconds, silentAlarm, decidedBy },
        {
          approval: "approved",
          sampling: { rate: 4_294_967_295, mode: "replaces" },
          silenceSeconds: 60,
          silentAlarm: false,
          decidedBy: "noa"
        }
      )
      assert.deepStrictEqual(yield* policies.inForce, [
        {
          address: "192.0.2.1",
          protocol: "netflow9",
          approval: "approved",
          sampling: { rate: 4_294_967_295, mode: "replaces" }
        }
      ])
      yield* policies.change(heard!.id, { sampling: null }, "noa")
      assert.strictEqual((yield* exporters.list)[0]!.policy.sampling, null)
      const missing = yield* Effect.flip(policies.change(ExporterId.make("99"), {}, "mia"))
      assert.strictEqual(missing._tag, "ExporterNotFound")
    })
  )

  it.effect(
    "know one before it sends, once",
    Effect.fnUntraced(function* () {
      const exporters = yield* ExporterStore
      const policies = yield* ExporterPolicyStore
      const expected = { address: Address.make("192.0.2.7"), protocol: "netflow9", name: "spare" } as const
      const id = yield* policies.add(expected, "mia")
      assert.strictEqual((yield* Effect.flip(policies.add(expected, "mia")))._tag, "ExporterExists")
      const find = Effect.map(exporters.list, (all) => all.find((one) => one.id === id)!)
      assert.deepStrictEqual([(yield* find).state, (yield* find).policy.approval], ["expected", "approved"])
      yield* exporters.upsert([snapshot("192.0.2.7", 5000)])
      const heard = yield* find
      assert.deepStrictEqual([heard.state, heard.name, DateTime.toEpochMillis(heard.firstSeen)], ["heard", "spare", 1000])
    })
  )

  it.effect(
    "go with their exporter, and what is still said of the time before does not bring it back",
    Effect.fnUntraced(function* () {
      const exporters = yield* ExporterStore
      const policies = yield* ExporterPolicyStore
      yield* exporters.upsert([snapshot("192.0.2.9", 2000)])
      const find = Effect.map(exporters.list, (all) => all.find((one) => one.address === "192.0.2.9"))
      const { id } = (yield* find)!
      yield* policies.change(id, { approval: "blocked" }, "mia")
      yield* exporters.forget(id)
      yield* exporters.upsert([snapshot("192.0.2.9", 2000)])
      assert.strictEqual(yield* find, undefined)
      assert.isFalse((yield* policies.inForce).some(({ address }) => address === "192.0.2.9"))
      yield* exporters.upsert([snapshot("192.0.2.9", Date.now() + 1000)])
      const again = yield* find
      assert.notStrictEqual(again!.id, id)
      assert.strictEqual(again!.policy.approval, "new")
    })
  )

  it.effect(
    "go with all exporters that are forgotten at once, which are new when they send again",
    Effect.fnUntraced(function* () {
      const exporters = yield* ExporterStore
      const addresses = ["192.0.2.30", "192.0.2.31", "192.0.2.32"]
      yield* exporters.upsert(addresses.map((address) => snapshot(address, 2000)))
      const ids = Effect.map(exporters.list, (all) => all.filter(({ address }) => addresses.includes(address)).map(({ id }) => id))
      const [first, second, third] = yield* ids
      yield* exporters.forgetAll([first!, third!])
      assert.deepStrictEqual(yield* ids, [second!])
      yield* exporters.upsert([snapshot("192.0.2.30", 2000)])
      assert.strictEqual((yield* ids).length, 2)
    })
  )

  it.effect(
    "keep since when an exporter is silent",
    Effect.fnUntraced(function* () {
      const exporters = yield* ExporterStore
      yield* exporters.upsert([snapshot("192.0.2.20", 2000)])
      const find = Effect.map(exporters.list, (all) => all.find((one) => one.address === "192.0.2.20")!)
      const { id } = yield* find
      yield* exporters.markSilent([{ id, since: 2000 }])
      assert.strictEqual(DateTime.toEpochMillis((yield* find).silentSince!), 2000)
      yield* exporters.markSilent([{ id, since: null }])
      assert.strictEqual((yield* find).silentSince, null)
    })
  )
})
