import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { ExporterId } from "#domain/ids.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { monday } from "../../../test/rig/slices.ts"
import { ExporterPolicyStore } from "./ExporterPolicyStore.ts"
import { ExporterStore } from "./ExporterStore.ts"

const stores = Layer.mergeAll(ExporterPolicyStore.layer, ExporterStore.layer).pipe(Layer.provideMerge(layerTestDatabase))

layer(stores, { excludeTestServices: true })("ExporterStore", (it) => {
  it.effect(
    "keeps exporters' names, counters, templates and announcements over a restart",
    Effect.fnUntraced(function* () {
      const snapshot = {
        address: "192.0.2.254",
        protocol: "netflow9",
        state: "heard",
        firstSeen: monday,
        lastSeen: monday + 1000,
        datagrams: 2n ** 60n,
        octets: 2n ** 61n,
        records: 7,
        recordsPerSecond: 1.5,
        sequenceLost: 0,
        sequenceResets: 0,
        malformed: 2,
        malformedReasons: { truncated: 2 },
        heldSets: 0,
        heldDropped: 0,
        templates: 1,
        sampling: 1,
        clockSkewMs: -12.5,
        observationDomains: [4_294_967_295],
        unknownElements: { "9.12345": 3n },
        sequences: [[7, 4_294_967_295]]
      } as const
      yield* ExporterStore.use((store) => store.upsert([snapshot, { ...snapshot, protocol: "sflow5", clockSkewMs: null }]))
      const [first] = yield* ExporterStore.use((store) => store.list)
      yield* ExporterPolicyStore.use((store) => store.change(first!.id, { name: "edge" }, "mia"))
      yield* ExporterStore.use((store) => store.upsert([{ ...snapshot, firstSeen: monday + 500, records: 8 }]))
      const list = yield* ExporterStore.use((store) => store.list)
      assert.strictEqual(list.length, 2)
      assert.deepInclude(list[0]!, {
        name: "edge",
        records: 8n,
        datagrams: 2n ** 60n,
        clockSkewMs: -12.5,
        observationDomains: [4_294_967_295]
      })
      assert.deepStrictEqual(list[0]!.malformedReasons, { truncated: 2n })
      assert.deepStrictEqual(list[0]!.unknownElements, { "9.12345": 3n })
      const followed = yield* ExporterStore.use((store) => store.loadSequences)
      assert.deepInclude(followed, {
        address: "192.0.2.254",
        protocol: "netflow9",
        lastSeen: monday + 1000,
        sequences: [[7, 4_294_967_295]]
      })

      const template = {
        exporter: "192.0.2.254",
        version: 9,
        domain: 4_294_967_295,
        id: 256,
        kind: "data",
        scopeFieldCount: 0
      } as const
      const fields = [
        [0, 8, 4],
        [9, 12345, 65535]
      ] as const
      yield* ExporterStore.use((store) =>
        store.saveTemplates([
          { ...template, fields },
          { ...template, id: 257, fields }
        ])
      )
      yield* ExporterStore.use((store) => store.saveTemplates([{ ...template, fields }]))
      assert.deepStrictEqual(yield* ExporterStore.use((store) => store.loadTemplates), [{ ...template, fields }])
      const said = (domain: number, rate: number) => ({
        exporter: "192.0.2.254",
        version: 9,
        domain,
        systemInitMs: 0,
        general: 0,
        rate,
        bySampler: [[1, rate]] as const,
        byInterface: []
      })
      yield* ExporterStore.use((store) => store.saveAnnouncements([said(1, 100), said(4_294_967_295, 50)]))
      yield* ExporterStore.use((store) => store.saveAnnouncements([said(1, 200)]))
      assert.deepStrictEqual(yield* ExporterStore.use((store) => store.loadAnnouncements), [said(1, 200), said(4_294_967_295, 50)])
      const [summary] = yield* ExporterStore.use((store) => store.templates(first!.id))
      assert.deepInclude(summary!, { templateId: 256, protocol: "netflow9", observationDomain: 4_294_967_295 })
      assert.strictEqual(
        (yield* Effect.flip(ExporterPolicyStore.use((store) => store.change("999" as ExporterId, { name: null }, "mia"))))._tag,
        "ExporterNotFound"
      )
    })
  )
})
