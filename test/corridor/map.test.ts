/** Datagrams in at one end, the map out at the other: of the whole appliance, over the wire, in every protocol, and after a restart. */
import { randomInt } from "node:crypto"
import { connect } from "node:tls"
import { assert, describe, it } from "vitest"
import { demoNames } from "../../apps/appliance/demo/hosts.ts"
import { expectedDependencies, makeWorld } from "../../apps/appliance/demo/world.ts"
import { type Appliance, startAppliance, until } from "./Appliance.ts"
import { type Exchange, encoders, exchanges, openSender, type Protocol } from "./exporting.ts"
import { rpc } from "./rpc.ts"

interface Shown {
  readonly client: { readonly address: string }
  readonly server: { readonly address: string }
  readonly port: number
  readonly protocol: number
  readonly service: string | null
  readonly bytesToServer: string
  readonly bytesToClient: string
  readonly packets: string
  readonly sampling: number
}

const dependencies = async (appliance: Appliance): Promise<ReadonlyArray<Shown>> => {
  const all: Array<Shown> = []
  for (let cursor: string | null = null; ; ) {
    const { status, json, text } = await appliance.api(`/dependencies?limit=500${cursor === null ? "" : `&after=${cursor}`}`)
    assert.strictEqual(status, 200, text)
    all.push(...json.items)
    cursor = json.next ?? null
    if (cursor === null) return all
  }
}

/** What each protocol tells: three conversations, of which the server is the end that was asked. */
const told: ReadonlyArray<{ readonly protocol: Protocol; readonly from: string; readonly sampling: number }> = [
  { protocol: "netflow5", from: "127.0.50.5", sampling: 10 },
  { protocol: "netflow9", from: "127.0.50.9", sampling: 1 },
  { protocol: "ipfix", from: "127.0.50.10", sampling: 1 },
  { protocol: "sflow5", from: "127.0.50.6", sampling: 400 }
]
const listOf = (at: number): ReadonlyArray<Exchange> => [
  ...exchanges(6, { client: `10.1.${at}.1`, server: `10.2.${at}.1`, port: 443, protocol: 6 }),
  ...exchanges(5, { client: `10.1.${at}.2`, server: `10.2.${at}.2`, port: 5432, protocol: 6, bytes: 3000, backBytes: 20_000 }),
  ...exchanges(4, {
    client: `10.1.${at}.1`,
    server: `10.2.${at}.3`,
    port: 53,
    protocol: 17,
    packets: 1,
    bytes: 60,
    backPackets: 1,
    backBytes: 180
  })
]
const line = (d: Shown) =>
  `${d.client.address} > ${d.server.address}:${d.port}/${d.protocol} ${d.service} ${d.bytesToServer} ${d.bytesToClient} ${d.packets} 1:${Math.max(1, d.sampling)}`
const service: Record<number, string> = { 443: "https", 5432: "postgresql", 53: "dns" }
const expectedLines = () =>
  told.flatMap(({ sampling }, at) => {
    const sums = new Map<string, { e: Exchange; n: number }>()
    for (const e of listOf(at)) sums.set(`${e.server}`, { e, n: (sums.get(e.server)?.n ?? 0) + 1 })
    return [...sums.values()].map(
      ({ e, n }) =>
        `${e.client} > ${e.server}:${e.port}/${e.protocol} ${service[e.port]} ${n * e.bytes * sampling} ${n * e.backBytes * sampling} ${n * (e.packets + e.backPackets) * sampling} 1:${sampling}`
    )
  })

describe("the appliance", () => {
  it("draws from four protocols exactly what was told, and shows it over REST, over RPC and after a restart", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning" })
    const portOf = (protocol: Protocol) =>
      protocol === "ipfix" ? appliance.ports.ipfix : protocol === "sflow5" ? appliance.ports.sflow : appliance.ports.netflow

    // what stands on the terminal is what a browser is shown
    const fingerprint = /SHA-256 ([0-9A-F:]+)/.exec(appliance.output())?.[1]
    const served = await new Promise<string>((done) => {
      const socket = connect({ host: "127.0.0.1", port: appliance.port, rejectUnauthorized: false }, () => {
        done(socket.getPeerCertificate().fingerprint256)
        socket.end()
      })
    })
    assert.strictEqual(served, fingerprint)

    // the setup code makes one administrator, once
    const code = /setup code +(\S+)/.exec(appliance.output())?.[1]
    assert.isDefined(code)
    const setup = (body: object) => appliance.ask("/access/setup", { body })
    const administrator = { code, name: "ada", password: `a long word ${randomInt(1e9)}` }
    const weak = await setup({ ...administrator, password: "short" })
    assert.strictEqual(weak.status, 422, weak.text)
    const first = await setup(administrator)
    assert.strictEqual(first.status, 200, first.text)
    assert.strictEqual(first.json.role, "admin")
    const second = await setup(administrator)
    assert.deepInclude([second.status, second.json.reason], 403)
    assert.strictEqual(second.json.reason, "already-done")
    const cookie = String(first.headers["set-cookie"]).split(";")[0]!
    assert.strictEqual((await appliance.ask("/api/v1/exporters", { headers: { cookie } })).status, 200)

    const senders = await Promise.all(
      told.map(async (one) => ({ ...one, sender: await openSender(one.from), encode: encoders[one.protocol](one.sampling) }))
    )
    for (const [at, { protocol, sender, encode }] of senders.entries())
      await sender.send(encode(listOf(at), Date.now()), portOf(protocol))
    const expected = expectedLines().sort()
    const lines = async () => (await dependencies(appliance)).map(line).sort()
    // what comes after a slice was written is added to its row some seconds later
    await until("all dependencies are there, with all that was told", async () => String(await lines()) === String(expected)).catch(
      () => undefined
    )
    assert.deepStrictEqual(await lines(), expected)

    // the console's line says the same
    const token = await appliance.token("viewer")
    // every page's first question, encoded for real: what does not fit its contract answers with a defect
    const admin = await appliance.token("admin")
    for (const tag of ["AssetList", "TopologyGet", "AuditList"]) {
      assert.include(await rpc(appliance, admin, tag, {}), '"_tag":"Success"', tag)
    }
    for (const tag of ["Whoami", "SettingsList", "OperatorList", "TokenList", "AuditVerify"]) {
      assert.include(await rpc(appliance, admin, tag, null), '"_tag":"Success"', tag)
    }
    for (const tag of ["OverviewWatch", "MapVersionWatch", "StatusWatch", "ExportersWatch", "HealthWatch"]) {
      assert.include(await rpc(appliance, admin, tag, null), '"_tag":"Chunk"', tag)
    }
    const answer = await rpc(appliance, token, "DependencyList", {})
    for (const { client, server } of await dependencies(appliance)) {
      assert.include(answer, client.address)
      assert.include(answer, server.address)
    }
    const topology = (await appliance.api("/topology")).json
    assert.lengthOf(topology.edges, expected.length)

    // every datagram is accounted for, and so is every exporter
    const { flow } = await until("the account is read", async () => {
      const health = await appliance.health()
      return Number(health.flow.datagrams) === senders.reduce((sum, { sender }) => sum + sender.sent(), 0) && health
    })
    assert.deepStrictEqual([flow.malformed, flow.refused, flow.failed, flow.late, flow.kernelDropped], ["0", "0", "0", "0", "0"])
    const exporters = await until("four exporters", async () => {
      const { json } = await appliance.api("/exporters")
      return json.length === 4 && json
    })
    for (const { address, protocol, sampling } of exporters) {
      assert.strictEqual(address, protocol === "sflow5" ? "10.255.0.4" : told.find((one) => one.protocol === protocol)!.from)
      assert.strictEqual(Math.max(1, sampling), told.find((one) => one.protocol === protocol)!.sampling, protocol)
    }

    assert.strictEqual(await appliance.stop(), 0, appliance.output())
    await appliance.again()
    assert.notInclude(appliance.output(), "setup code")
    assert.include(appliance.output(), fingerprint!)
    assert.isUndefined(await appliance.warning("unclean-stop"))
    assert.deepStrictEqual(await lines(), expected)
    assert.strictEqual((await appliance.ask("/api/v1/exporters", { headers: { cookie } })).status, 200)
    assert.strictEqual((await appliance.ask("/api/v1/exporters", { headers: { authorization: `Bearer ${token}` } })).status, 200)

    // FL-ING-05: the first packet after the restart is data alone, and is decoded by the template of before
    for (const [at, { protocol, sender, encode }] of senders.entries()) {
      if (protocol !== "netflow9" && protocol !== "ipfix") continue
      const more = exchanges(3, { client: `10.9.${at}.1`, server: `10.8.${at}.1`, port: 443, protocol: 6 })
      await sender.send(encode(more, Date.now()), portOf(protocol))
    }
    await until(
      "two more dependencies, without a template",
      async () => (await dependencies(appliance)).length === expected.length + 2
    )
    const held = (await appliance.api("/exporters")).json.map((one: { heldSets: number; heldDropped: string }) => [
      one.heldSets,
      one.heldDropped
    ])
    for (const one of held) assert.deepStrictEqual(one, [0, "0"])
    assert.strictEqual(await appliance.stop(), 0)
  })

  it("draws its demo: every steady dependency, the right way round, and nothing else", async () => {
    // An asset is shown after five records, which takes the slowest of the demo a minute; the long run waits for it
    const sooner = process.env["FLOWLENS_SOAK_SECONDS"] === undefined ? { ASSETS_MIN_FLOWS_FOR_CREATION: 3 } : {}
    const appliance = await startAppliance({ LOG_LEVEL: "warning", AGGREGATION_FLUSH_INTERVAL_SECONDS: 2, ...sooner }, ["--demo"])
    const nameOf = (address: string) => demoNames.get(address) ?? address
    const all = new Set(
      expectedDependencies(makeWorld()).map((d) => `${nameOf(d.client)} > ${nameOf(d.server)}:${d.port}/${d.protocol}`)
    )
    const steady = expectedDependencies(makeWorld(), { nightly: false }).map(
      (d) => `${nameOf(d.client)} > ${nameOf(d.server)}:${d.port}/${d.protocol}`
    )
    const drawn = async () =>
      (await dependencies(appliance)).map(
        (d) => `${nameOf(d.client.address)} > ${nameOf(d.server.address)}:${d.port}/${d.protocol}`
      )
    const left = async () => {
      const now = new Set(await drawn())
      return steady.filter((one) => !now.has(one))
    }
    await until("all of it is drawn", async () => (await left()).length === 0, 180).catch(() => undefined)
    assert.deepStrictEqual(await left(), [], "missing")
    assert.deepStrictEqual(
      (await drawn()).filter((one) => !all.has(one)),
      [],
      "drawn and not played"
    )
    assert.isAbove(steady.length, 200)
  })
})
