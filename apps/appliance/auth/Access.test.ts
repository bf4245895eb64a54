import { mkdtempSync, readFileSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Option, Result } from "effect"
import { SqlClient } from "effect/sql"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import { TokenStore } from "#pipeline/store/TokenStore.ts"
import { later } from "../../../test/rig/clock.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { Access } from "./Access.ts"
import { Gate } from "./Gate.ts"
import { localTokenPath } from "./LocalToken.ts"
import { layerAuth } from "./layer.ts"
import { SetupCode } from "./SetupCode.ts"
import { newToken, sha256 } from "./secret.ts"

const data = mkdtempSync(join(tmpdir(), "flowlens-access-"))
const access = { session: { hours: 24, idleMinutes: 120 }, lockout: { failures: 3, minutes: 15 } }

const layerAccess = layerAuth({ access, dataFolder: data }).pipe(
  Layer.provideMerge(Layer.mergeAll(OperatorStore.layer, SessionStore.layer, TokenStore.layer, AuditStore.layer)),
  Layer.provideMerge(layerTestDatabase)
)

const password = "a quiet river bank"
const login = (name: string, word: string, source = "192.0.2.1") =>
  Effect.flatMap(Access, (one) => Effect.result(one.login({ name, password: word, source })))
const bySession = (session: string) =>
  Effect.flatMap(Gate, (gate) => Effect.result(gate.admit({ bearer: undefined, session, source: null })))
const byToken = (bearer: string) =>
  Effect.flatMap(Gate, (gate) => Effect.result(gate.admit({ bearer, session: undefined, source: null })))
const reasonOf = <A>(result: Result.Result<A, unknown>): unknown =>
  Result.isFailure(result) ? (result.failure as { readonly reason?: unknown }).reason : "admitted"
const idOf = (name: string) =>
  Effect.flatMap(OperatorStore, (store) => Effect.map(store.credential(name), (one) => Option.getOrThrow(one).id))

layer(layerAccess, { excludeTestServices: true })("set-up", (it) => {
  it.effect(
    "needs the newest code, lets one caller of many in, and is over then",
    Effect.fnUntraced(function* () {
      const codes = yield* SetupCode
      const one = yield* Access
      const setup = (code: string, name = "anna", word = password) =>
        Effect.result(one.setup({ code, name, password: word, source: "192.0.2.1" }))

      const old = Option.getOrThrow(yield* codes.codeIfNeeded)
      assert.match(old, /^[2-9A-Z]{4}(-[2-9A-Z]{4}){3}$/)
      const code = Option.getOrThrow(yield* codes.codeIfNeeded)
      const sql = yield* SqlClient.SqlClient
      const stored = JSON.stringify(yield* sql`SELECT * FROM setup_code`)
      assert.notInclude(stored, code)
      assert.isTrue(yield* one.setupNeeded)

      assert.strictEqual(reasonOf(yield* setup(old)), "wrong-code")
      const weak = yield* setup(code, "anna", "password1234")
      assert.isTrue(Result.isFailure(weak) && weak.failure._tag === "PasswordWeak")
      assert.isTrue(Result.isFailure(yield* setup(code, "local")))

      const typed = ` ${code.toLowerCase().replaceAll("-", " ")} `
      const both = yield* Effect.all([setup(typed), setup(typed, "eve")], { concurrency: "unbounded" })
      assert.strictEqual(both.filter(Result.isSuccess).length, 1)
      assert.deepStrictEqual(both.filter(Result.isFailure).map(reasonOf), ["already-done"])
      assert.strictEqual(reasonOf(yield* setup(code, "mallory")), "already-done")
      assert.isFalse(yield* one.setupNeeded)
      assert.deepStrictEqual(yield* codes.codeIfNeeded, Option.none())
      const actions = (yield* (yield* AuditStore).list({ limit: 50, filter: "setup" })).items.map(
        ({ outcome, detail }) => detail["why"] ?? outcome
      )
      assert.deepStrictEqual(actions.sort(), ["already-done", "already-done", "done", "wrong-code"])
    })
  )
})

layer(layerAccess, { excludeTestServices: true })("guessing the setup code", (it) => {
  it.effect(
    "has to wait after a few tries, even with the right code",
    Effect.fnUntraced(function* () {
      const code = Option.getOrThrow(yield* (yield* SetupCode).codeIfNeeded)
      const one = yield* Access
      const setup = (text: string) => Effect.result(one.setup({ code: text, name: "anna", password, source: "192.0.2.9" }))
      for (let i = 0; i < 3; i++) assert.strictEqual(reasonOf(yield* setup("AAAA")), "wrong-code")
      assert.strictEqual(reasonOf(yield* setup(code)), "too-many-tries")
      assert.isTrue(Result.isSuccess(yield* later("2 minutes")(setup(code))))
    })
  )
})

layer(layerAccess, { excludeTestServices: true })("login", (it) => {
  it.effect(
    "opens a session whose secret is nowhere in the database",
    Effect.fnUntraced(function* () {
      const one = yield* Access
      const code = Option.getOrThrow(yield* (yield* SetupCode).codeIfNeeded)
      yield* one.setup({ code, name: "anna", password, source: "192.0.2.1" })
      const opened = yield* Effect.fromResult(yield* login("anna", password))
      assert.deepInclude({ ...opened.caller }, { name: "anna", role: "admin", via: "session" })
      const sql = yield* SqlClient.SqlClient
      const rows =
        JSON.stringify(yield* sql`SELECT s::text FROM sessions s`) + JSON.stringify(yield* sql`SELECT o::text FROM operators o`)
      assert.include(rows, sha256(opened.secret))
      assert.notInclude(rows, opened.secret)
      assert.notInclude(rows, password)
      assert.strictEqual(reasonOf(yield* bySession(opened.secret)), "admitted")
    })
  )

  it.effect(
    "does not say whether it was the name, the password, or that the account is disabled",
    Effect.fnUntraced(function* () {
      const operators = yield* OperatorStore
      const made = Option.getOrThrow(yield* operators.add({ name: "dora", role: "viewer", passwordHash: "none" }))
      yield* operators.change(made.id, { disabled: true })
      const answers = [
        yield* login("anna", "wrong password 1"),
        yield* login("nobody", "wrong password 1"),
        yield* login("dora", "wrong password 1")
      ]
      const texts = answers.map((answer) => (Result.isFailure(answer) ? answer.failure.message : "let in"))
      assert.deepStrictEqual([...new Set(texts)], ["name or password is wrong"])
    })
  )

  it.effect(
    "is locked after three failures of a name, longer after each further one, and not for others",
    Effect.fnUntraced(function* () {
      const operators = yield* OperatorStore
      yield* operators.add({ name: "berta", role: "viewer", passwordHash: "none" })
      const wait = (answer: Result.Result<unknown, unknown>) =>
        Result.isFailure(answer) ? (answer.failure as { readonly retryAfterSeconds: number }).retryAfterSeconds : -1
      for (let i = 0; i < 3; i++) assert.strictEqual(reasonOf(yield* login("berta", "wrong", `198.51.100.${i}`)), "wrong")
      const locked = yield* login("berta", "wrong", "198.51.100.8")
      assert.strictEqual(reasonOf(locked), "locked")
      assert.approximately(wait(locked), 900, 5)
      assert.strictEqual(reasonOf(yield* login("anna", password)), "admitted")
      assert.strictEqual(reasonOf(yield* later("16 minutes")(login("berta", "wrong", "198.51.100.9"))), "wrong")
      assert.approximately(wait(yield* later("16 minutes")(login("berta", "wrong", "198.51.100.9"))), 1800, 5)
      const audit = yield* AuditStore
      const found = yield* audit.list({ limit: 50, filter: "berta" })
      assert.strictEqual(found.items.filter(({ detail }) => detail["why"] === "wrong password").length, 4)
    })
  )

  it.effect(
    "gives attempts at the same moment no more chances than attempts in a row",
    Effect.fnUntraced(function* () {
      const answers = yield* Effect.all(
        Array.from({ length: 12 }, (_, i) => login("carla", "wrong password 1", `203.0.113.${i}`)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(answers.filter((answer) => reasonOf(answer) === "wrong").length, 3)
    })
  )

  it.effect(
    "is locked for an address that tries many names",
    Effect.fnUntraced(function* () {
      const answers: Array<unknown> = []
      for (let i = 0; i < 14; i++) answers.push(reasonOf(yield* login(`name${i}`, "wrong password 1", "203.0.113.200")))
      assert.deepStrictEqual(answers, [...Array(12).fill("wrong"), "locked", "locked"])
      assert.strictEqual(reasonOf(yield* login("anna", password, "203.0.113.201")), "admitted")
    })
  )
})

layer(layerAccess, { excludeTestServices: true })("a session", (it) => {
  it.effect(
    "ends by the clock, by idling, by logout, by a new password and when its operator is disabled",
    Effect.fnUntraced(function* () {
      const one = yield* Access
      const operators = yield* OperatorStore
      const code = Option.getOrThrow(yield* (yield* SetupCode).codeIfNeeded)
      const first = yield* one.setup({ code, name: "anna", password, source: "192.0.2.1" })
      const open = Effect.map(Effect.flatMap(login("anna", password), Effect.fromResult), ({ secret }) => secret)

      assert.strictEqual(reasonOf(yield* bySession("A".repeat(43))), "unknown")
      assert.strictEqual(reasonOf(yield* later("25 hours")(bySession(first.secret))), "expired")
      assert.strictEqual(reasonOf(yield* later("110 minutes")(bySession(first.secret))), "admitted")
      assert.strictEqual(reasonOf(yield* later("200 minutes")(bySession(first.secret))), "admitted")
      assert.strictEqual(reasonOf(yield* later("400 minutes")(bySession(first.secret))), "expired")

      const second = yield* open
      yield* one.logout(second, first.caller, "192.0.2.1")
      assert.strictEqual(reasonOf(yield* bySession(second)), "revoked")

      const third = yield* open
      yield* operators.change(yield* idOf("anna"), { passwordHash: "none" })
      assert.strictEqual(reasonOf(yield* bySession(third)), "revoked")
      assert.strictEqual(reasonOf(yield* bySession(first.secret)), "revoked")

      yield* operators.add({ name: "berta", role: "admin", passwordHash: "none" })
      const sessions = yield* SessionStore
      yield* sessions.open(sha256("B".repeat(43)), yield* idOf("anna"), null, access.session)
      assert.strictEqual(reasonOf(yield* bySession("B".repeat(43))), "admitted")
      yield* operators.change(yield* idOf("anna"), { disabled: true })
      assert.strictEqual(reasonOf(yield* bySession("B".repeat(43))), "disabled")
      assert.deepStrictEqual(yield* operators.change(yield* idOf("berta"), { role: "viewer" }), { refused: "last-administrator" })
      assert.deepStrictEqual(yield* operators.change(yield* idOf("berta"), { disabled: true }), { refused: "last-administrator" })
    })
  )
})

layer(layerAccess, { excludeTestServices: true })("a token", (it) => {
  it.effect(
    "is good until it is revoked, expires, or its owner is disabled, and never above its owner",
    Effect.fnUntraced(function* () {
      const tokens = yield* TokenStore
      const operators = yield* OperatorStore
      const anna = Option.getOrThrow(yield* operators.add({ name: "anna", role: "admin", passwordHash: "none" }))
      yield* operators.add({ name: "berta", role: "admin", passwordHash: "none" })
      const make = Effect.fnUntraced(function* (owner: string | undefined, days?: number) {
        const secret = newToken()
        const token = yield* tokens.create({ secretHash: sha256(secret), name: "script", role: "operator", owner, days })
        return { secret, token }
      })

      const own = yield* make("anna")
      const admitted = yield* Effect.fromResult(yield* byToken(own.secret))
      assert.deepInclude({ ...admitted.caller }, { name: "anna/script", role: "operator", via: "token" })
      assert.isNotNull((yield* tokens.list("anna"))[0]!.lastUsedAt)
      assert.strictEqual(reasonOf(yield* byToken(newToken())), "unknown")
      assert.strictEqual(reasonOf(yield* byToken("fl_short")), "unknown")

      yield* operators.change(anna.id, { role: "viewer" })
      assert.strictEqual((yield* Effect.fromResult(yield* byToken(own.secret))).caller.role, "viewer")
      yield* operators.change(anna.id, { disabled: true })
      assert.strictEqual(reasonOf(yield* byToken(own.secret)), "disabled")

      const brief = yield* make("berta", 1)
      assert.strictEqual(reasonOf(yield* byToken(brief.secret)), "admitted")
      assert.strictEqual(reasonOf(yield* later("25 hours")(byToken(brief.secret))), "expired")

      const local = yield* make(undefined)
      assert.deepStrictEqual(yield* tokens.revoke(local.token.id, "berta"), Option.none())
      assert.isTrue(Option.isSome(yield* tokens.revoke(local.token.id, undefined)))
      assert.strictEqual(reasonOf(yield* byToken(local.secret)), "revoked")
    })
  )

  it.effect(
    "of the machine itself is a file only its account can read, and may look but not change",
    Effect.fnUntraced(function* () {
      const path = localTokenPath(data)
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      const gate = yield* Gate
      const admitted = yield* Effect.fromResult(yield* byToken(readFileSync(path, "utf8")))
      assert.strictEqual(admitted.caller.via, "local")
      yield* gate.authorise(admitted, "health.read")
      for (const needs of ["tokens.own", "exporters.write", "operators.write", undefined] as const) {
        assert.strictEqual((yield* Effect.flip(gate.authorise(admitted, needs)))._tag, "Forbidden")
      }
    })
  )
})
