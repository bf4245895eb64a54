import { assert, layer } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Option, Stream, SubscriptionRef } from "effect"
import { SqlClient } from "effect/sql"
import type { OperatorName } from "#domain/Operator.ts"
import { Status } from "#domain/Status.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { TokenStore } from "#pipeline/store/TokenStore.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import {
  call,
  LiveValues,
  layerTestSurface,
  operator,
  password,
  rpcClient,
  session,
  someStatus,
  token,
  upgradeStatus
} from "../../../test/rig/Surface.ts"
import { SetupCode } from "../auth/SetupCode.ts"

const layerSurface = (options: Parameters<typeof layerTestSurface>[0] = {}) =>
  layerTestSurface(options).pipe(Layer.provideMerge(layerTestDatabase))

const failureOf = <A, E>(exit: Exit.Exit<A, E>): unknown => (Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined)
const tagOf = (error: unknown) => (error as { readonly _tag?: string } | undefined)?._tag
const reasonOf = (error: unknown) => (error as { readonly reason?: string } | undefined)?.reason
const name = (text: string) => text as typeof OperatorName.Type

layer(layerSurface(), { excludeTestServices: true })("the first run", (it) => {
  it.effect(
    "goes from the setup code to a session that calls RPC over the WebSocket, and to logout",
    Effect.fnUntraced(function* () {
      const state = () => Effect.map(call("/access/state"), ({ text }) => JSON.parse(text))
      assert.deepStrictEqual(yield* state(), { setupNeeded: true, caller: null })
      const code = Option.getOrThrow(yield* (yield* SetupCode).codeIfNeeded)
      const wrong = yield* call("/access/setup", { body: { code: "2222-2222-2222-2222", name: "anna", password } })
      assert.strictEqual(wrong.status, 403)
      assert.deepInclude(JSON.parse(wrong.text), { _tag: "SetupRefused", reason: "wrong-code" })
      const done = yield* call("/access/setup", { body: { code, name: "anna", password } })
      assert.strictEqual(done.status, 200)
      const [cookie = ""] = done.headers["set-cookie"] ?? []
      assert.match(cookie, /^flowlens_session=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
      assert.strictEqual((yield* call("/access/setup", { body: { code, name: "eve", password } })).status, 403)

      const { origin } = yield* session("anna")
      const headers = { cookie: cookie.split(";")[0]!, origin }
      const known = JSON.parse((yield* call("/access/state", { headers })).text)
      assert.deepInclude(known.caller, { name: "anna", role: "admin", via: "session" })
      const client = yield* rpcClient(headers)
      assert.strictEqual((yield* client.Whoami(undefined)).name, "anna")
      assert.deepStrictEqual((yield* client.AuditVerify(undefined)).brokenAt, null)
      assert.strictEqual((yield* client.AssetList({})).total, 0)
      assert.deepStrictEqual((yield* client.TopologyGet({})).nodes, [])
      assert.strictEqual(tagOf(failureOf(yield* Effect.exit(client.AssetList({ filter: "port:" })))), "FilterInvalid")

      const out = yield* call("/access/logout", { method: "POST", headers })
      assert.match(out.headers["set-cookie"]?.[0] ?? "", /^flowlens_session=; Max-Age=0;/)
      assert.strictEqual(reasonOf(failureOf(yield* Effect.exit(client.Whoami(undefined)))), "revoked")
      assert.deepStrictEqual(JSON.parse((yield* call("/access/state", { headers })).text).caller, null)
    }, Effect.scoped)
  )
})

layer(layerSurface(), { excludeTestServices: true })("RPC over the WebSocket", (it) => {
  it.effect(
    "refuses a session from a page of another origin, or of none, at the upgrade",
    Effect.fnUntraced(function* () {
      yield* operator("anna", "admin")
      const own = yield* session("anna")
      const { headers: bearer } = yield* token("viewer")
      assert.strictEqual(yield* upgradeStatus(own), 101)
      assert.strictEqual(yield* upgradeStatus({ ...own, origin: "https://evil.example" }), 403)
      assert.strictEqual(yield* upgradeStatus({ ...own, origin: own.origin.replace("https", "http") }), 403)
      assert.strictEqual(yield* upgradeStatus({ cookie: own.cookie }), 403)
      assert.strictEqual(yield* upgradeStatus(bearer), 101)
      assert.strictEqual(yield* upgradeStatus({ ...bearer, origin: "https://evil.example" }), 403)
      assert.strictEqual((yield* call("/rpc", { headers: own })).status, 426)
    })
  )

  it.effect(
    "believes no cookie, origin or connection that a message claims for itself",
    Effect.fnUntraced(function* () {
      const own = yield* session("anna")
      const stranger = yield* rpcClient({})
      for (const headers of [own, { ...own, "flowlens-connection": "0" }, { "flowlens-connection": "" }] as const) {
        assert.strictEqual(reasonOf(failureOf(yield* Effect.exit(stranger.Whoami(undefined, { headers })))), "missing")
      }
      const { headers } = yield* token("viewer", "anna")
      assert.strictEqual((yield* stranger.Whoami(undefined, { headers })).name, "anna/test")
    }, Effect.scoped)
  )
})

layer(layerSurface({ maxConnections: 4 }), { excludeTestServices: true })("live connections", (it) => {
  it.effect(
    "are no more than configured, and the rest is counted",
    Effect.fnUntraced(function* () {
      yield* operator("anna", "admin")
      const own = yield* session("anna")
      const clients = yield* Effect.all(Array.from({ length: 4 }, () => rpcClient(own)))
      for (const client of clients) yield* client.Whoami(undefined)
      assert.strictEqual(yield* upgradeStatus(own), 503)
      const { headers } = yield* token("analyst")
      assert.match((yield* call("/metrics", { headers })).text, /^flowlens_websocket_refused_total 1$/m)
    }, Effect.scoped)
  )
})

layer(layerSurface(), { excludeTestServices: true })("a live stream", (it) => {
  it.effect(
    "starts with the present value, has the latest, and ends with its session",
    Effect.fnUntraced(function* () {
      yield* operator("anna", "admin")
      const berta = yield* operator("berta", "viewer")
      const client = yield* rpcClient(yield* session("berta"))
      const { status } = yield* LiveValues
      const seen: Array<number> = []
      const fiber = yield* Effect.forkChild(
        client.StatusWatch(undefined).pipe(Stream.runForEach((now) => Effect.sync(() => void seen.push(now.warnings))))
      )
      const until = (check: () => boolean) =>
        Effect.suspend(() => (check() ? Effect.void : Effect.fail("not yet"))).pipe(Effect.eventually, Effect.timeout("60 seconds"))
      yield* until(() => seen.length === 1)
      yield* SubscriptionRef.set(status, new Status({ ...someStatus, warnings: 7 }))
      yield* until(() => seen.at(-1) === 7)

      const admin = yield* rpcClient(yield* session("anna"))
      yield* admin.OperatorChange({ id: berta.id, disabled: true })
      const exit = yield* Fiber.await(fiber).pipe(Effect.timeout("60 seconds"))
      assert.strictEqual(tagOf(failureOf(exit)), "Unauthorized")
      assert.strictEqual(reasonOf(failureOf(exit)), "disabled")
      assert.strictEqual(reasonOf(failureOf(yield* Effect.exit(client.Whoami(undefined)))), "disabled")
    }, Effect.scoped)
  )

  it.effect(
    "ends with its token, and the next call within a second of the revocation is refused",
    Effect.fnUntraced(function* () {
      const { headers, id } = yield* token("viewer")
      const client = yield* rpcClient(headers)
      const fiber = yield* Effect.forkChild(Stream.runDrain(client.HealthWatch(undefined)))
      yield* client.Whoami(undefined)
      yield* (yield* TokenStore).revoke(id, undefined)
      assert.strictEqual(reasonOf(failureOf(yield* Effect.exit(client.Whoami(undefined)))), "revoked")
      assert.strictEqual(reasonOf(failureOf(yield* Fiber.await(fiber).pipe(Effect.timeout("60 seconds")))), "revoked")
    }, Effect.scoped)
  )
})

layer(layerSurface(), { excludeTestServices: true })("managing access", (it) => {
  it.effect(
    "is done, audited with who and where from, and has its refusals",
    Effect.fnUntraced(function* () {
      const anna = yield* operator("anna", "admin")
      const client = yield* rpcClient(yield* session("anna"))
      const refusal = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(Effect.exit(effect), (exit) => tagOf(failureOf(exit)))

      const added = yield* client.OperatorAdd({ name: name("bob"), role: "operator", password })
      assert.strictEqual(yield* refusal(client.OperatorAdd({ name: name("bob"), role: "viewer", password })), "OperatorExists")
      assert.strictEqual(yield* refusal(client.OperatorAdd({ name: name("local"), role: "viewer", password })), "OperatorExists")
      assert.strictEqual(
        yield* refusal(client.OperatorAdd({ name: name("carl"), role: "viewer", password: "carlcarl1234" })),
        "PasswordWeak"
      )
      assert.strictEqual(yield* refusal(client.OperatorChange({ id: anna.id, role: "viewer" })), "LastAdministrator")
      assert.strictEqual(yield* refusal(client.OperatorChange({ id: anna.id, disabled: true })), "LastAdministrator")
      assert.strictEqual(yield* refusal(client.OperatorChange({ id: "999" as typeof anna.id, role: "viewer" })), "OperatorNotFound")

      const bob = yield* rpcClient(yield* session("bob"))
      assert.strictEqual(yield* refusal(bob.TokenCreate({ name: "too much", role: "admin" })), "RoleTooHigh")
      const made = yield* bob.TokenCreate({ name: "mine", role: "viewer", days: 3 })
      assert.match(made.secret, /^fl_[\w-]{43}$/)
      const annas = yield* client.TokenCreate({ name: "hers", role: "admin" })
      assert.deepStrictEqual(
        (yield* bob.TokenList(undefined)).map((one) => one.name),
        ["mine"]
      )
      assert.deepStrictEqual(
        (yield* client.TokenList(undefined)).map((one) => one.name),
        ["mine", "hers"]
      )
      assert.strictEqual(yield* refusal(bob.TokenRevoke({ id: annas.token.id })), "TokenNotFound")
      yield* client.TokenRevoke({ id: made.token.id })
      yield* client.OperatorChange({ id: added.id, role: "viewer" })

      const { items } = yield* client.AuditList({ order: "ascending", limit: 200 })
      const lines = items.map((one) => `${one.actor} ${one.action} ${one.subject} ${one.outcome}`)
      for (const line of [
        "anna session.login null done",
        "anna operator.add bob done",
        "anna operator.add bob refused",
        "anna operator.change anna refused",
        "bob token.create too much refused",
        "bob token.create bob/mine done",
        "anna token.revoke bob/mine done",
        "anna operator.change bob done"
      ]) {
        assert.include(
          lines.map((text) => text.replace(/operator\.change \d+ refused/, "operator.change anna refused")),
          line
        )
      }
      assert.isTrue(items.every(({ source }) => source === "127.0.0.1"))
      assert.notInclude(JSON.stringify(items.map((one) => one.detail)), password)
      assert.strictEqual((yield* (yield* AuditStore).verify).brokenAt, null)
    }, Effect.scoped)
  )

  it.effect(
    "restarts an actor that there is, and names the one that there is not",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("operator")
      const client = yield* rpcClient(headers)
      yield* client.ActorRestart({ path: "flow/worker-1" })
      assert.deepStrictEqual((yield* LiveValues).restarted, ["flow/worker-1"])
      assert.strictEqual(tagOf(failureOf(yield* Effect.exit(client.ActorRestart({ path: "none" })))), "ActorNotFound")
    }, Effect.scoped)
  )
})

layer(layerSurface(), { excludeTestServices: true })("a failure inside", (it) => {
  it.effect(
    "fails the one call with a sentence, tells nothing of the inside, and the connection lives on",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("viewer")
      const client = yield* rpcClient(headers)
      yield* client.Whoami(undefined)
      const sql = yield* SqlClient.SqlClient
      yield* sql`ALTER TABLE assets RENAME TO assets_away`
      const exit = yield* Effect.exit(client.AssetList({}))
      assert.match(
        String((failureOf(exit) as Error).message),
        /^the appliance failed at this; its log has the cause under reference [0-9a-f]{8}$/
      )
      const rest = yield* call("/api/v1/assets", { headers })
      assert.deepInclude(JSON.parse(rest.text), { status: 500, title: "Internal error" })
      assert.notInclude(rest.text, "assets_away")
      yield* sql`ALTER TABLE assets_away RENAME TO assets`
      assert.strictEqual((yield* client.AssetList({})).total, 0)
    }, Effect.scoped)
  )
})
