import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { LearnedTemplate } from "#domain/LearnedTemplate.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { call, layerTestSurface, token } from "../../../test/rig/Surface.ts"

layer(layerTestSurface().pipe(Layer.provideMerge(layerTestDatabase)), { excludeTestServices: true })("/api/v1/exporters", (it) => {
  it.effect(
    "adds, shows, changes and forgets an exporter with a token, and what is not there is a problem document",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("operator")
      const ask = (path: string, method = "GET", body?: unknown) =>
        Effect.map(call(`/api/v1/exporters${path}`, { method, headers, ...(body === undefined ? {} : { body }) }), (answer) => ({
          ...answer,
          json: answer.text === "" ? undefined : JSON.parse(answer.text)
        }))
      const added = yield* ask("", "POST", { address: "192.0.2.1", protocol: "ipfix", name: "edge" })
      assert.strictEqual(added.status, 201)
      const { id } = added.json
      const shown = yield* ask(`/${id}`)
      assert.deepInclude(shown.json, { id, name: "edge", state: "expected", records: "0" })
      assert.strictEqual(shown.json.policy.approval, "approved")
      yield* ask(`/${id}`, "PATCH", { approval: "blocked", sampling: { rate: 100, mode: "only-unsaid" } })
      assert.deepInclude((yield* ask(`/${id}`)).json.policy, { approval: "blocked", sampling: { rate: 100, mode: "only-unsaid" } })

      const domain = { exporter: "192.0.2.1", version: 10, domain: 7 }
      const template: LearnedTemplate = { ...domain, id: 256, kind: "data", scopeFieldCount: 0, fields: [[0, 8, 4]] }
      yield* ExporterStore.use((store) => store.saveTemplates([template]))
      const [one] = (yield* ask(`/${id}/templates`)).json
      assert.deepInclude(one, { observationDomain: 7, templateId: 256, fields: [[0, 8, 4]] })
      assert.deepStrictEqual((yield* ask(`/${id}/captures`)).json, [])

      for (const path of ["/999", "/999/templates", "/999/history", "/999/captures"]) {
        const { json, status } = yield* ask(path)
        assert.deepStrictEqual([status, json.title, json.detail], [404, "Not found", "no exporter 999"], path)
      }
      assert.strictEqual((yield* ask("", "POST", { address: "192.0.2.1", protocol: "ipfix", name: null })).status, 409)
      const refused = yield* ask(`/${id}/captures`, "POST", { seconds: 5 })
      assert.strictEqual(refused.status, 400)
      assert.match(refused.text, /last or next must be above 0/)
      assert.strictEqual((yield* ask(`/${id}`, "DELETE")).status, 204)
      assert.strictEqual((yield* ask(`/${id}`)).status, 404)
    })
  )

  it.effect(
    "ends and removes a capture under its own exporter only",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("operator")
      const post = (path: string, body: unknown) =>
        Effect.map(call(`/api/v1/exporters${path}`, { method: "POST", headers, body }), ({ text }) => JSON.parse(text))
      const mine = yield* post("", { address: "192.0.2.2", protocol: "ipfix", name: null })
      const other = yield* post("", { address: "192.0.2.3", protocol: "ipfix", name: null })
      const capture = yield* post(`/${mine.id}/captures`, { next: 5 })
      const end = (of: string) =>
        Effect.map(call(`/api/v1/exporters/${of}/captures/${capture.id}`, { method: "DELETE", headers }), ({ status }) => status)
      assert.deepStrictEqual(
        [yield* end(other.id), yield* end(mine.id), yield* end(mine.id), yield* end(mine.id)],
        [404, 204, 204, 404]
      )
    })
  )
})
