/** Wrong things, one by one: each is told with the thing's name and what to do, and what can mend itself does. */
import { createSocket } from "node:dgram"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { join } from "node:path"
import { Effect, Exit, Redacted, Scope } from "effect"
import { assert, describe, it, onTestFinished } from "vitest"
import { freshDatabase } from "../rig/Database.ts"
import { dataFolder, flowlens, freeUdpPort, sleep, startAppliance, until } from "./Appliance.ts"
import { fillUp, smallDisk } from "./disk.ts"
import { encoders, exchanges, openSender, steady } from "./exporting.ts"
import { throughProxy } from "./outage.ts"

const hold = (server: Server, port = 0): Promise<number> =>
  new Promise((done, failed) => {
    server.once("error", failed)
    server.listen(port, "127.0.0.1", () => done((server.address() as { readonly port: number }).port))
  })

describe("the appliance", () => {
  it("refuses a bad configuration and names every problem with it", async () => {
    const data = dataFolder()
    mkdirSync(data)
    const file = join(data, "flowlens.yaml")
    writeFileSync(file, "ingestion:\n  netflow_port: 99999\n  netflwo_port: 2055\naggregation:\n  window_size_seconds: 7\n")
    const bad = await flowlens(["start"], { DATA: data, LOG_LEVLE: "debug", ASSETS_AUTO_CREATE: "perhaps" })
    assert.strictEqual(bad.code, 1)
    for (const named of [
      "netflow_port",
      "99999",
      "netflwo_port",
      "window_size_seconds",
      "FLOWLENS_LOG_LEVLE",
      "ASSETS_AUTO_CREATE",
      `${file}:2`
    ]) {
      assert.include(bad.output, named)
    }
    writeFileSync(file, "log:\n  level: info\nlog:\n  level: debug\n")
    const twice = await flowlens(["start"], { DATA: data })
    assert.strictEqual(twice.code, 1)
    assert.match(twice.output, /log.*(twice|unique|duplicate|once)|(twice|unique|duplicate|once).*log/i)
    assert.include(twice.output, file)
  })

  it("says which HTTPS port is taken and does not start", async () => {
    const server = createServer()
    const port = await hold(server)
    onTestFinished(() => void server.close())
    const [netflow, ipfix, sflow] = [await freeUdpPort(), await freeUdpPort(), await freeUdpPort()]
    const { code, output } = await flowlens(["start"], {
      DATA: dataFolder(),
      API_HOST: "127.0.0.1",
      API_PORT: port,
      INGESTION_NETFLOW_PORT: netflow,
      INGESTION_IPFIX_PORT: ipfix,
      INGESTION_SFLOW_PORT: sflow,
      LOG_LEVEL: "error"
    })
    assert.strictEqual(code, 1, output)
    const said = output
      .split("\n")
      .filter((line) => line.startsWith("flowlens:"))
      .join("\n")
    assert.include(said, String(port), output)
    assert.match(said, /another program has the port/, output)
    assert.strictEqual(output.split("ss -ltnp").length, 2, "the advice stands there once")
    assert.match(output, /api\.port|FLOWLENS_API_PORT/, output)
  })

  it("runs without a UDP port that is taken, says so, and opens it when it is free; access is refused clearly", async () => {
    const taken = createSocket("udp4")
    const port = await new Promise<number>((done) => taken.bind(0, () => done(taken.address().port)))
    const appliance = await startAppliance({ LOG_LEVEL: "warning", INGESTION_NETFLOW_PORT: port, ACCESS_LOCKOUT_FAILURES: 3 })
    const down = await until("the listener is down", () => appliance.warning("listener-down"))
    assert.include(`${down.subject} ${down.detail}`, String(port))
    assert.include(down.detail, "in use")
    assert.strictEqual((await appliance.ask("/health")).status, 503)

    const code = /setup code +(\S+)/.exec(appliance.output())![1]!
    const setup = (body: object) => appliance.ask("/access/setup", { body })
    const who = { name: "ada", password: "a word of some length" }
    const weak = await setup({ ...who, code, password: "12345678" })
    assert.strictEqual(weak.status, 422, weak.text)
    const wrong = await setup({ ...who, code: "AAAA-BBBB-CCCC-DDDD" })
    assert.deepStrictEqual([wrong.status, wrong.json.reason], [403, "wrong-code"])
    const more = []
    for (let i = 0; i < 12; i++) more.push(await setup({ ...who, code: `AAAA-BBBB-CCCC-DD${10 + i}` }))
    const throttled = more.at(-1)!
    assert.deepStrictEqual([throttled.status, throttled.json.reason], [403, "too-many-tries"])
    assert.isAbove(throttled.json.retryAfterSeconds, 0)

    const bearer = (secret: string) => appliance.ask("/api/v1/assets", { headers: { authorization: `Bearer ${secret}` } })
    const stranger = await bearer("flw_nobody")
    assert.strictEqual(stranger.status, 401)
    assert.include(String(stranger.headers["content-type"]), "problem+json")
    assert.strictEqual((await appliance.ask("/api/v1/assets")).status, 401)
    const { code: made, output } = await flowlens(
      ["user", "add", "ada", "--role", "admin", "--password-stdin"],
      appliance.knobs,
      "a word of some length\n"
    )
    assert.strictEqual(made, 0, output)
    const login = await appliance.ask("/access/login", { body: who })
    assert.strictEqual(login.status, 200, login.text)
    const cookie = String(login.headers["set-cookie"]).split(";")[0]!
    const withCookie = () => appliance.ask("/api/v1/assets", { headers: { cookie } })
    assert.strictEqual((await withCookie()).status, 200)
    await appliance.rows("UPDATE sessions SET expires_at = now() - interval '1 minute'")
    const expired = await withCookie()
    assert.strictEqual(expired.status, 401, expired.text)

    await new Promise<void>((done) => taken.close(() => done()))
    await until("the port is open", async () => (await appliance.warning("listener-down")) === undefined)
    const sender = await openSender("127.0.60.1")
    await sender.send(
      encoders.netflow5()(exchanges(5, { client: "10.1.0.1", server: "10.2.0.1", port: 443, protocol: 6 }), Date.now()),
      port
    )
    await until("its flows come", async () => (await appliance.api("/dependencies")).json.items.length === 1)
    assert.strictEqual(await appliance.stop(), 0)
  })

  it("says which database refuses, and lives through one that goes away", async () => {
    const closed = createServer()
    const nowhere = await hold(closed)
    await new Promise((done) => closed.close(done))
    const refused = await flowlens(["start"], {
      DATA: dataFolder(),
      API_PORT: 0,
      INGESTION_NETFLOW_PORT: 0,
      INGESTION_IPFIX_PORT: 0,
      INGESTION_SFLOW_PORT: 0,
      DATABASE_URL: `postgres://someone:secretword@127.0.0.1:${nowhere}/flowlens`,
      LOG_LEVEL: "error"
    })
    assert.strictEqual(refused.code, 1, refused.output)
    assert.match(refused.output, /database/i)
    assert.include(refused.output, `127.0.0.1:${nowhere}`)
    assert.notInclude(refused.output, "secretword")

    // the embedded one is an outside one for as long as nobody starts it: stopped whole, its pool and its postmaster
    const scope = Effect.runSync(Scope.make())
    onTestFinished(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    const { url } = await Effect.runPromise(freshDatabase("template0").pipe(Scope.provide(scope)))
    const real = new URL(Redacted.value(url))
    const outage = await throughProxy(real)
    const appliance = await startAppliance({ LOG_LEVEL: "error", DATABASE_URL: outage.url })
    const traffic = await steady("netflow5", appliance.ports.netflow, { each: 5 })
    await until("flows arrive", async () => (await appliance.api("/dependencies")).json.items.length > 0)
    const token = await appliance.token("viewer")
    const rest = () => appliance.ask("/api/v1/dependencies", { headers: { authorization: `Bearer ${token}` } })
    assert.strictEqual((await rest()).status, 200)
    const since = Date.now()
    await outage.cut()
    const told = await until("unhealthy", async () => {
      const { status, json } = await appliance.ask("/health")
      return status === 503 && json
    })
    assert.isBelow(Date.now() - since, 60_000)
    assert.strictEqual(told.checks.database, "fail")
    assert.isDefined(await appliance.warning("database-away"))
    const away = await rest()
    assert.strictEqual(away.status, 503, away.text)
    await sleep(2000)
    await outage.mend()
    await until("healthy again", async () => (await appliance.ask("/health")).status === 200 && (await rest()).status === 200)
    await traffic.stop()
    await until("all flows are there", async () => {
      const { items } = (await rest()).json
      const packets = items.reduce((sum: number, one: { packets: string }) => sum + Number(one.packets), 0)
      return packets === traffic.packets()
    })
    assert.strictEqual(await appliance.stop(), 0)
  })

  it("says that the disk is full, takes flows meanwhile, and goes on when there is room", async (context) => {
    const disk = smallDisk("420m")
    if (disk === undefined) return context.skip("needs the right to mount a small file system")
    const appliance = await startAppliance({ LOG_LEVEL: "error" }, [], join(disk, "data"))
    const traffic = await steady("netflow5", appliance.ports.netflow, { each: 5 })
    await until("flows are written", async () => (await appliance.written()).records > 0)
    const filling = fillUp(disk)
    const full = await until("health tells of the disk", () => appliance.warning("disk-full"))
    assert.include(full.detail, "free")
    assert.strictEqual((await appliance.ask("/health")).status, 503)
    const before = Number((await appliance.health()).flow.records)
    await until(
      "flows are taken while the disk is full",
      async () => Number((await appliance.health()).flow.records) > before + 500
    )
    rmSync(filling)
    await until("there is room again", async () => (await appliance.warning("disk-full")) === undefined)
    await traffic.stop()
    await until("all was written", async () => (await appliance.written()).records === traffic.records())
    assert.strictEqual((await appliance.written()).bytes, traffic.bytes())
    assert.strictEqual(await appliance.stop(), 0)
  })
})
