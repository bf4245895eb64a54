import { createSocket, type RemoteInfo } from "node:dgram"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { demo, makeDemoAccount } from "./Demo.ts"

const listener = (heard: (datagram: Uint8Array, from: RemoteInfo) => void) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createSocket>>((resume) => {
      const socket = createSocket("udp4", heard)
      socket.bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.close())
  )

describe("the demo", () => {
  it.live("plays eight exporters, each from its own address, to the three ports; all of it decodes", () =>
    Effect.gen(function* () {
      const enough = yield* Deferred.make<void>()
      const batch = makeFlowBatch()
      const decoder = makeDecoder({ templates: makeTemplateCache(), full: (full) => void (full.length = 0) })
      const heard = new Map<string, { port: string; records: number }>()
      let complaints = 0
      const into = (port: string) => (datagram: Uint8Array, from: RemoteInfo) => {
        const outcome = decoder.decode(datagram, datagram.length, 0, from.address, Date.now(), batch)
        complaints += outcome.complaints + outcome.unknownSets
        batch.length = 0
        const before = heard.get(from.address)?.records ?? 0
        heard.set(from.address, { port, records: before + outcome.records })
        if (heard.size === 8 && [...heard.values()].every(({ records }) => records > 0)) Deferred.doneUnsafe(enough, Effect.void)
      }
      const [netflow, ipfix, sflow] = yield* Effect.all([
        listener(into("netflow")),
        listener(into("ipfix")),
        listener(into("sflow"))
      ])
      const account = makeDemoAccount()
      const ports = { netflow: netflow.address().port, ipfix: ipfix.address().port, sflow: sflow.address().port }
      yield* Effect.race(demo({ host: "127.0.0.1", ports, account }), Deferred.await(enough))

      assert.strictEqual(complaints, 0)
      const sent = [...account.exporters.values()]
      assert.deepStrictEqual([...heard.keys()].sort(), sent.map((exporter) => exporter.address).sort())
      for (const exporter of sent) {
        const own = heard.get(exporter.address)!
        assert.strictEqual(own.port, exporter.protocol === "sflow5" ? "sflow" : exporter.protocol === "ipfix" ? "ipfix" : "netflow")
        assert.strictEqual(exporter.refused, 0)
        assert.isAtMost(own.records, exporter.records)
      }
    }).pipe(Effect.scoped)
  )
})
