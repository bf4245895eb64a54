import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as tlsConnect } from "node:tls"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, SubscriptionRef } from "effect"
import { SqlClient } from "effect/sql"
import { ActorReading, FlowAccount, HealthDetail, MailboxReading } from "#domain/Health.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import {
  call,
  LiveValues,
  layerTestSurface,
  operator,
  password,
  SurfaceFiles,
  session,
  someHealth,
  token
} from "../../../test/rig/Surface.ts"
import { maxBodyBytes } from "./guard.ts"
import { Listening } from "./server.ts"

const built = mkdtempSync(join(tmpdir(), "flowlens-console-"))
mkdirSync(join(built, "bundle"))
writeFileSync(join(built, "index.html"), "<!doctype html><title>console</title>")
writeFileSync(join(built, "bundle/main-Ab3dEf9h.js"), `export const text = "${"x".repeat(4000)}"`)
writeFileSync(join(built, "favicon.svg"), "<svg/>")

const layerSurface = (options: Parameters<typeof layerTestSurface>[0] = {}) =>
  layerTestSurface(options).pipe(Layer.provideMerge(layerTestDatabase))

layer(layerSurface({ consoleFolder: built }), { excludeTestServices: true })("every answer", (it) => {
  it.effect(
    "carries the security headers, errors too, and what is somebody's is not cached",
    Effect.fnUntraced(function* () {
      for (const [path, status] of [
        ["/health", 200],
        ["/", 200],
        ["/api/v1/assets", 401],
        ["/api/none", 404],
        ["/access/state", 200]
      ] as const) {
        const answer = yield* call(path, { headers: { accept: "text/plain" } })
        assert.strictEqual(answer.status, status, path)
        assert.deepInclude(
          answer.headers,
          {
            "strict-transport-security": "max-age=31536000",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer"
          },
          path
        )
        const policy = String(answer.headers["content-security-policy"])
        assert.match(policy, /^default-src 'self';/, path)
        assert.notInclude(policy, "unsafe", path)
        assert.strictEqual(answer.headers["cache-control"], path === "/" ? "no-cache" : "no-store", path)
        assert.isUndefined(answer.headers["server"])
        assert.isUndefined(answer.headers["x-powered-by"])
      }
    })
  )

  it.effect(
    "is refused when the body is larger than a megabyte, said or not",
    Effect.fnUntraced(function* () {
      const large = JSON.stringify({ name: "anna", password: "x".repeat(maxBodyBytes) })
      const headers = { "content-type": "application/json" }
      const said = yield* call("/access/login", { body: large, headers: { ...headers, "content-length": String(large.length) } })
      assert.strictEqual(said.status, 413)
      const chunked = yield* call("/access/login", { body: large, headers: { ...headers, "transfer-encoding": "chunked" } })
      assert.deepInclude(JSON.parse(chunked.text), { status: 413, title: "Body too large" })
      const header = yield* Effect.exit(call("/health", { headers: { "x-long": "x".repeat(20_000) } }))
      assert.isTrue(header._tag === "Success" && header.value.status === 431)
    })
  )

  it.effect(
    "is refused to a page of another origin that changes something",
    Effect.fnUntraced(function* () {
      yield* operator("anna", "admin")
      const own = yield* session("anna")
      const body = { name: "anna", password }
      const login = (origin: string) => Effect.map(call("/access/login", { body, headers: { origin } }), ({ status }) => status)
      assert.strictEqual(yield* login("https://evil.example"), 403)
      assert.strictEqual(yield* login("null"), 403)
      assert.strictEqual(yield* login(own.origin), 200)
      assert.strictEqual(
        (yield* call("/access/logout", { method: "POST", headers: { ...own, origin: "https://evil.example" } })).status,
        403
      )
      assert.strictEqual((yield* call("/api/v1/assets", { headers: own })).status, 200)
      assert.strictEqual((yield* call("/api/v1/assets", { headers: { ...own, "sec-fetch-site": "cross-site" } })).status, 401)
      assert.strictEqual(
        (yield* call("/access/login", { body: "name=anna", headers: { "content-type": "text/plain" } })).status,
        415
      )
    })
  )

  it.effect(
    "comes over TLS 1.2 or later with the certificate of the data folder",
    Effect.fnUntraced(function* () {
      const { port } = yield* Listening
      const { certificate } = yield* SurfaceFiles
      const handshake = (options: object) =>
        Effect.callback<string>((resume) => {
          const socket = tlsConnect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => {
            resume(Effect.succeed(`${socket.getProtocol()} ${socket.getPeerCertificate().fingerprint256}`))
            socket.destroy()
          })
          socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(`refused ${error.code}`)))
        })
      assert.strictEqual(yield* handshake({}), `TLSv1.3 ${certificate.fingerprint}`)
      assert.strictEqual(
        yield* handshake({ ca: certificate.certificate, rejectUnauthorized: true }),
        `TLSv1.3 ${certificate.fingerprint}`
      )
      assert.match(yield* handshake({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }), /^refused/)
    })
  )

  it.effect(
    "of a wrong login is the same problem for every name, with the wait once it is locked",
    Effect.fnUntraced(function* () {
      const login = (name: string) => call("/access/login", { body: { name, password: "not this one, no" } })
      for (let i = 0; i < 5; i++) {
        const { status, text } = yield* login("nobody")
        assert.strictEqual(status, 401)
        assert.deepInclude(JSON.parse(text), { _tag: "LoginRefused", reason: "wrong" })
      }
      assert.deepInclude(JSON.parse((yield* login("nobody")).text), { reason: "locked", retryAfterSeconds: 900 })
    })
  )
})

layer(layerSurface({ consoleFolder: built }), { excludeTestServices: true })("the console's files", (it) => {
  it.effect(
    "are kept for good when their name has a hash, compressed when they are large, and stand in for every page",
    Effect.fnUntraced(function* () {
      const script = yield* call("/bundle/main-Ab3dEf9h.js", { headers: { "accept-encoding": "gzip" } })
      assert.strictEqual(script.headers["cache-control"], "public, max-age=31536000, immutable")
      assert.strictEqual(script.headers["content-encoding"], "gzip")
      assert.match(String(script.headers["content-type"]), /javascript/)
      for (const path of ["/assets/12/services", "/assets", "/assets/", "/health", "/map?filter=port:443"]) {
        const page = yield* call(path, { headers: { accept: "text/html,application/xhtml+xml;q=0.9" } })
        assert.deepStrictEqual([page.status, page.headers["cache-control"]], [200, "no-cache"], path)
        assert.include(page.text, "<title>console</title>", path)
      }
      assert.strictEqual((yield* call("/favicon.svg")).status, 200)
      for (const path of ["/../package.json", "/%2e%2e/%2e%2e/etc/passwd", "/bundle/none.js"]) {
        assert.strictEqual((yield* call(path)).status, 404, path)
      }
    })
  )
})

layer(layerSurface(), { excludeTestServices: true })("machines", (it) => {
  it.effect(
    "are told that the console was not built, and how to build it",
    Effect.fnUntraced(function* () {
      const answer = yield* call("/", { headers: { accept: "text/html" } })
      assert.strictEqual(answer.status, 503)
      assert.include(answer.text, "npm run build")
    })
  )

  it.effect(
    "read health without a login and without an address in it",
    Effect.fnUntraced(function* () {
      const { health } = yield* LiveValues
      const answer = yield* call("/health")
      assert.deepStrictEqual(JSON.parse(answer.text), {
        status: "healthy",
        version: "0.1.0",
        uptimeSeconds: 1,
        checks: { database: "pass" }
      })
      assert.strictEqual((yield* call("/ready")).text, '{"ready":true}')
      yield* SubscriptionRef.set(health, new HealthDetail({ ...someHealth, status: "unhealthy" }))
      assert.deepStrictEqual([(yield* call("/health")).status, (yield* call("/ready")).status], [503, 503])
      yield* SubscriptionRef.set(health, someHealth)
    })
  )

  it.effect(
    "scrape metrics that account for actors, mailboxes, flows and requests",
    Effect.fnUntraced(function* () {
      const { health } = yield* LiveValues
      yield* SubscriptionRef.set(
        health,
        new HealthDetail({
          ...someHealth,
          flow: new FlowAccount({ ...someHealth.flow, datagrams: 9_007_199_254_740_993n, kernelDropped: 3n }),
          actors: [
            new ActorReading({
              path: 'flow/"a"\\1',
              state: "running",
              since: someHealth.startedAt,
              restarts: 2,
              lastError: null,
              mailbox: new MailboxReading({
                name: "datagrams",
                policy: "refuse",
                capacity: 16,
                depth: 4,
                offered: 9n,
                refused: 1n
              }),
              gauges: { conversations: 7 }
            })
          ]
        })
      )
      const { headers } = yield* token("analyst")
      const answer = yield* call("/metrics", { headers })
      assert.match(String(answer.headers["content-type"]), /^text\/plain; version=0\.0\.4/)
      for (const line of [
        "# TYPE flowlens_flow_datagrams_total counter",
        "flowlens_flow_datagrams_total 9007199254740993",
        "flowlens_flow_kernel_dropped_total 3",
        'flowlens_actor_restarts_total{actor="flow/\\"a\\"\\\\1"} 2',
        'flowlens_mailbox_refused_total{actor="flow/\\"a\\"\\\\1",mailbox="datagrams",policy="refuse"} 1',
        'flowlens_actor_gauge{actor="flow/\\"a\\"\\\\1",name="conversations"} 7',
        "flowlens_database_up 1",
        'flowlens_build_info{version="0.1.0"} 1'
      ]) {
        assert.include(answer.text.split("\n"), line)
      }
      assert.match(answer.text, /^flowlens_http_requests_total\{kind="\/health",status="2xx"\} \d+$/m)
      const bad = answer.text
        .split("\n")
        .filter((line) => line !== "" && !/^(# (HELP|TYPE) flowlens_\w+ .+|flowlens_\w+(\{.*\})? [\d.e+-]+)$/.test(line))
      assert.deepStrictEqual(bad, [])
    })
  )
})

layer(layerSurface(), { excludeTestServices: true })("the REST API", (it) => {
  it.effect(
    "names field, rule and value of bad input in one problem document",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("viewer")
      const problemOf = (path: string) =>
        Effect.map(call(path, { headers }), (answer) => [answer, JSON.parse(answer.text)] as const)
      const [answer, body] = yield* problemOf("/api/v1/assets?limit=1001&sort=colour")
      assert.strictEqual(answer.headers["content-type"], "application/problem+json")
      assert.deepInclude(body, { type: "about:blank", status: 400, title: "Input refused" })
      const byField = Object.fromEntries(body.errors.map((one: { field: string }) => [one.field, one]))
      assert.strictEqual(byField.limit.value, "1001")
      assert.match(byField.limit.rule, /1000/)
      assert.strictEqual(byField.sort.value, "colour")

      const [, filter] = yield* problemOf("/api/v1/dependencies?filter=port:")
      assert.deepInclude(filter.errors[0], { field: "filter", value: "port:" })
      const [, id] = yield* problemOf("/api/v1/assets/abc")
      assert.deepInclude(id.errors[0], { field: "id", value: "abc" })
      const [none, there] = yield* problemOf("/api/v1/assets/12")
      assert.strictEqual(none.status, 404)
      assert.deepInclude(there, { title: "Not found", detail: "no asset 12" })
      const [, at] = yield* problemOf("/api/v1/topology?at=yesterday")
      assert.deepInclude(at.errors[0], { field: "at", value: "yesterday" })
      const [, login] = yield* Effect.map(call("/access/login", { body: { name: "anna", password: 7 } }), (one) => [
        one,
        JSON.parse(one.text)
      ])
      assert.deepInclude(login.errors[0], { field: "password", value: null })
      const refused = yield* call("/api/v1/assets")
      assert.deepInclude(JSON.parse(refused.text), { status: 401, title: "Not authenticated" })
      assert.strictEqual(refused.headers["content-type"], "application/problem+json")
    })
  )

  it.effect(
    "pages by 50 unless asked, in a stable order, and states the total",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO assets (name, ip_addresses, internal, status, discovery_source, first_seen, last_seen, confidence)
        SELECT 'host-' || lpad(n::text, 3, '0'), ARRAY[('10.1.0.' || n)::inet], true, 'active', 'flow', now(), now(), 0.9 FROM generate_series(1, 120) n`
      const { headers } = yield* token("viewer")
      const page = (query: string) =>
        Effect.map(call(`/api/v1/assets?sort=name${query}`, { headers }), ({ text }) => JSON.parse(text))
      const first = yield* page("")
      assert.deepStrictEqual([first.items.length, first.total, first.items[0].name], [50, 120, "host-001"])
      const second = yield* page(`&after=${first.next}`)
      const third = yield* page(`&after=${second.next}`)
      assert.deepStrictEqual([second.items[0].name, third.items.length, third.next], ["host-051", 20, undefined])
      assert.strictEqual((yield* page("&limit=1000")).items.length, 120)
      const [one] = first.items
      const detail = JSON.parse((yield* call(`/api/v1/assets/${one.id}`, { headers })).text)
      assert.deepInclude(detail, { name: "host-001", services: [] })
      assert.strictEqual((yield* call(`/api/v1/assets/${one.id}/dependencies`, { headers })).text, "[]")
      assert.strictEqual((yield* call(`/api/v1/assets/${one.id}/dependencies?side=left`, { headers })).status, 400)
    })
  )

  it.effect(
    "describes itself: an OpenAPI document with both ways in, and a page that loads nothing from outside",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("viewer")
      const spec = JSON.parse((yield* call("/api/openapi.json", { headers })).text)
      assert.match(spec.openapi, /^3\.1/)
      assert.deepStrictEqual(Object.keys(spec.paths).sort(), [
        "/api/v1/assets",
        "/api/v1/assets/{id}",
        "/api/v1/assets/{id}/dependencies",
        "/api/v1/coverage",
        "/api/v1/dependencies",
        "/api/v1/dependencies/{id}",
        "/api/v1/exporters",
        "/api/v1/exporters/{id}",
        "/api/v1/exporters/{id}/captures",
        "/api/v1/exporters/{id}/captures/{capture}",
        "/api/v1/exporters/{id}/captures/{file}",
        "/api/v1/exporters/{id}/history",
        "/api/v1/exporters/{id}/templates",
        "/api/v1/flows",
        "/api/v1/health",
        "/api/v1/topology"
      ])
      assert.deepStrictEqual(Object.keys(spec.components.securitySchemes), ["token", "session"])
      const responses = spec.paths["/api/v1/assets"].get.responses
      assert.includeMembers(Object.keys(responses), ["200", "400", "401", "403"])
      assert.property(responses["400"].content, "application/problem+json")

      const page = yield* call("/docs", { headers })
      assert.strictEqual(page.status, 200)
      const policy = String(page.headers["content-security-policy"])
      assert.match(policy, /^default-src 'none'; script-src 'sha256-[\w+/=]+'; /)
      assert.include(policy, "connect-src 'self'")
      assert.notMatch(page.text, /<(script|link|img)[^>]+(src|href)=/)
    })
  )
})
