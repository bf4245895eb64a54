import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, SubscriptionRef } from "effect"
import { HealthDetail } from "#domain/Health.ts"
import * as Sql from "#pipeline/store/Sql.ts"
import { freshDatabase } from "../../../test/rig/Database.ts"
import {
  call,
  LiveValues,
  layerTestSurface,
  password,
  rpcClient,
  SurfaceFiles,
  session,
  someHealth
} from "../../../test/rig/Surface.ts"
import { certificatePaths, loadCertificate } from "../http/certificate.ts"
import { Listening } from "../http/server.ts"
import { runStatus } from "./status.ts"
import { runToken } from "./token.ts"
import { runUser } from "./user.ts"

class DatabaseUrl extends Context.Service<DatabaseUrl, string>()("test/DatabaseUrl") {}

/** A surface on a database whose address the commands can be given, as FLOWLENS_DATABASE_URL. */
const layerAppliance = layerTestSurface().pipe(
  Layer.provideMerge(
    Layer.unwrap(
      Effect.map(freshDatabase("flowlens"), ({ url }) =>
        Sql.layer({ url }).pipe(Layer.provideMerge(Layer.succeed(DatabaseUrl, Redacted.value(url) as string)))
      )
    )
  )
)

const run = (command: typeof runUser, line: string, input = "") =>
  Effect.gen(function* () {
    const out: Array<string> = []
    const err: Array<string> = []
    const { data } = yield* SurfaceFiles
    const { port } = yield* Listening
    const env = {
      FLOWLENS_DATA: data,
      FLOWLENS_DATABASE_URL: yield* DatabaseUrl,
      FLOWLENS_API_PORT: String(port),
      FLOWLENS_API_HOST: "127.0.0.1"
    }
    const code = yield* Effect.promise(() =>
      command(
        line.split(" ").filter((word) => word !== ""),
        {
          env,
          out: (text) => void out.push(text),
          err: (text) => void err.push(text),
          input: async () => input
        }
      )
    )
    return { code, out: out.join("\n"), err: err.join("\n") }
  })

layer(layerAppliance, { excludeTestServices: true })("flowlens user", (it) => {
  it.effect(
    "adds, lists, changes and disables operators, who can log in accordingly, and leaves its mark in the audit log",
    Effect.fnUntraced(function* () {
      const added = yield* run(runUser, "add anna --role admin --password-stdin", `${password}\nsecond line`)
      assert.deepStrictEqual(added, { code: 0, out: "added anna, admin", err: "" })
      const asJson = yield* run(runUser, "add bob --role viewer --password-stdin --json", password)
      assert.deepInclude(JSON.parse(asJson.out), { name: "bob", role: "viewer", disabled: false, lastLoginAt: null })
      assert.notInclude(asJson.out, "argon2")
      assert.deepStrictEqual(JSON.parse((yield* call("/access/state")).text).setupNeeded, false)

      const bob = yield* rpcClient(yield* session("bob"))
      assert.strictEqual((yield* bob.Whoami(undefined)).role, "viewer")
      assert.deepStrictEqual(yield* run(runUser, "disable bob"), {
        code: 0,
        out: "bob is disabled; open sessions were ended",
        err: ""
      })
      assert.isTrue((yield* Effect.exit(bob.Whoami(undefined)))._tag === "Failure")
      assert.match(
        (yield* run(runUser, "list")).out,
        /^name {2}role +state +last login\nanna +admin +enabled +never\nbob +viewer +disabled +20/
      )
      assert.strictEqual((yield* run(runUser, "enable bob")).code, 0)
      assert.strictEqual((yield* run(runUser, "role bob --role operator")).out, "bob is operator now")
      assert.strictEqual((yield* run(runUser, "password bob --password-stdin", "another river bank")).code, 0)
      assert.strictEqual((yield* call("/access/login", { body: { name: "bob", password } })).status, 401)
      assert.strictEqual((yield* call("/access/login", { body: { name: "bob", password: "another river bank" } })).status, 200)

      const admin = yield* rpcClient(yield* session("anna"))
      const all = (yield* admin.AuditList({ order: "ascending", limit: 100 })).items.filter(({ via }) => via === "local")
      assert.deepStrictEqual(
        all.map(({ action, subject }) => `${action} ${subject}`),
        ["operator.add anna", "operator.add bob", ...Array(4).fill("operator.change bob")]
      )
    }, Effect.scoped)
  )

  it.effect(
    "refuses with a sentence and an exit code",
    Effect.fnUntraced(function* () {
      const said = Effect.fnUntraced(function* (line: string, input = password) {
        const { code, err } = yield* run(runUser, line, input)
        return `${code} ${err.split("\n")[0]}`
      })
      assert.strictEqual(yield* said("add anna --role admin --password-stdin"), "1 flowlens user: an operator anna already exists")
      assert.strictEqual(
        yield* said("add carl --role admin --password-stdin", "short"),
        "1 flowlens user: choose another password: it needs at least 12 characters and has 5"
      )
      assert.strictEqual(yield* said("add local --role admin --password-stdin"), "1 flowlens user: the name local is taken")
      assert.strictEqual(
        yield* said("add carl --role admin"),
        "2 flowlens user: give the password on standard input, with --password-stdin"
      )
      assert.strictEqual(
        yield* said("add carl --role king --password-stdin"),
        "2 flowlens user: --role must be one of admin, operator, analyst, viewer"
      )
      assert.strictEqual(yield* said("disable anna"), "1 flowlens user: anna is the last enabled administrator")
      assert.strictEqual(yield* said("disable nobody"), "1 flowlens user: there is no operator nobody")
      assert.match(yield* said("frobnicate"), /^2 flowlens user: no command frobnicate/)
      assert.match(yield* said("list --colour"), /^2 flowlens user: unknown option/i)
    })
  )

  it.effect(
    "says what to do when the appliance does not run",
    Effect.fnUntraced(function* () {
      const err: Array<string> = []
      const terminal = (env: Record<string, string>) => ({
        env,
        out: () => {},
        err: (text: string) => void err.push(text),
        input: async () => ""
      })
      const { data } = yield* SurfaceFiles
      const codes = yield* Effect.promise(async () => [
        await runUser(["list"], terminal({ FLOWLENS_DATA: data })),
        await runUser(["list"], terminal({ FLOWLENS_DATA: join(data, "none") })),
        await runStatus([], terminal({ FLOWLENS_DATA: join(data, "none") }))
      ])
      assert.deepStrictEqual(codes, [1, 1, 1])
      assert.match(err[0]!, /^flowlens user: the appliance of .* does not run; start it/)
      assert.match(err[1]!, /^flowlens user: there is no data folder .*; name it with FLOWLENS_DATA/)
      assert.match(err[2]!, /^flowlens status: the appliance of .* does not run; start it/)
    })
  )
})

layer(layerAppliance, { excludeTestServices: true })("flowlens token", (it) => {
  it.effect(
    "creates a token that works at once, lists it without its secret, and revokes it",
    Effect.fnUntraced(function* () {
      const made = yield* run(runToken, "create --role analyst --name grafana --days 30")
      assert.match(made.out, /^fl_[\w-]{43}$/)
      const headers = { authorization: `Bearer ${made.out}` }
      assert.strictEqual((yield* call("/metrics", { headers })).status, 200)
      const listed = yield* run(runToken, "list --json")
      const [token] = JSON.parse(listed.out)
      assert.deepInclude(token, { name: "grafana", role: "analyst", createdBy: "local" })
      assert.notInclude(listed.out, made.out)
      assert.match((yield* run(runToken, "list")).out, /^id {2}name +role +by +expires +last used\n1 +grafana/)
      assert.strictEqual((yield* run(runToken, `revoke ${token.id}`)).out, `revoked ${token.id}, grafana`)
      assert.strictEqual((yield* call("/metrics", { headers })).status, 401)
      assert.strictEqual((yield* run(runToken, `revoke ${token.id}`)).code, 1)
      assert.strictEqual((yield* run(runToken, "create --role analyst --days 0")).code, 2)
      assert.strictEqual((yield* run(runToken, "create")).code, 2)
      assert.match(JSON.parse((yield* run(runToken, "create --role viewer --json")).out).secret, /^fl_/)
    })
  )
})

layer(layerAppliance, { excludeTestServices: true })("flowlens status", (it) => {
  it.effect(
    "asks the appliance itself, for people and for programs, and exits by its health",
    Effect.fnUntraced(function* () {
      const { health } = yield* LiveValues
      const { code, out } = yield* run(runStatus, "--json")
      assert.deepStrictEqual([code, JSON.parse(out).status], [0, "healthy"])
      const text = yield* run(runStatus, "")
      assert.match(text.out, /^healthy {3}FlowLens 0\.1\.0, since 2026-11-20T12:00:00\.000Z\n/)
      assert.match(text.out, /\ndropped by the kernel {2}0\n/)
      yield* SubscriptionRef.set(health, new HealthDetail({ ...someHealth, status: "unhealthy" }))
      assert.strictEqual((yield* run(runStatus, "--json")).code, 1)
      yield* SubscriptionRef.set(health, someHealth)
    })
  )

  it.effect(
    "gives its secret to no other program on the port",
    Effect.fnUntraced(function* () {
      const { data } = yield* SurfaceFiles
      const other = yield* loadCertificate(join(data, "other"))
      const { certificate } = certificatePaths(data)
      const { certificate: own } = yield* SurfaceFiles
      writeFileSync(certificate, other.certificate)
      const { code, err } = yield* run(runStatus, "--json")
      writeFileSync(certificate, own.certificate)
      assert.strictEqual(code, 1)
      assert.match(err, /another program answers on 127\.0\.0\.1:\d+: its certificate is not ours/)
    })
  )
})
