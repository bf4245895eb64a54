/**
 * Two exporters of other makers on one path, and services of seventeen kinds behind it: client — Open vSwitch (IPFIX) — router (softflowd,
 * NetFlow v9) — server. The whole appliance hears both: its map is what ran, counted once. Then the switch stops to export.
 */
import { existsSync } from "node:fs"
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { type Appliance, startAppliance, until } from "../corridor/Appliance.ts"
import { startExporter } from "./exporters.ts"
import { itInLab, missing } from "./Lab.ts"
import { makeNetwork, missingFor, wiresSince } from "./network.ts"
import { type OpenVswitch, openvswitchPrograms, startOpenVswitch } from "./openvswitch.ts"
import { serverPrograms, startServers } from "./servers.ts"
import {
  BESIDE,
  besideErrand,
  missingModules,
  serviceErrands,
  servicePrograms,
  startServices,
  TRICKLE,
  trickleErrand
} from "./services.ts"
import { HEADERS, label, runErrands, runTraffic } from "./traffic.ts"

const ROUNDS = 2

interface Row {
  readonly client: string
  readonly server: string
  readonly port: number
  readonly protocol: number
  readonly status: string
  readonly bytes: string
  readonly exporters: number
}

/** What the map holds of TCP and UDP, and how many exporters saw each. */
const dependencies = (appliance: Appliance) =>
  appliance.rows<Row>(
    `SELECT host(source_address) AS client, host(target_address) AS server, port, protocol, status,
       (bytes_to_server + bytes_to_client)::text AS bytes,
       exporters
     FROM dependencies WHERE protocol IN (6, 17)`
  )

/** By `client → server:port`, why nobody looks; empty where somebody does. */
const blindness = async (appliance: Appliance): Promise<Record<string, string>> => {
  const { json, status, text } = await appliance.api("/topology")
  assert.strictEqual(status, 200, text)
  const address = new Map(json.nodes.map((node: { id: string; address: string }) => [node.id, node.address]))
  return Object.fromEntries(
    json.edges.flatMap((edge: { client: string; server: string; port: number; stale: boolean; blind?: number }) =>
      edge.blind === undefined
        ? []
        : [[`${address.get(edge.client)} → ${address.get(edge.server)}:${edge.port}`, json.blindness[edge.blind].why]]
    )
  )
}

const silent = async (appliance: Appliance): Promise<ReadonlyArray<string>> =>
  (await appliance.health()).warnings
    .filter(({ code }: { code: string }) => code === "exporter-silent")
    .map(({ subject }: { subject: string }) => subject.split(" ")[0])

const lacking = [
  ...new Set([
    ...missingFor(...openvswitchPrograms, ...serverPrograms, ...servicePrograms),
    ...missing("softflowd-v9"),
    ...missingModules(existsSync)
  ])
]
describe("two exporters on one path", () => {
  itInLab("the map is what ran, counted once, and an exporter that stops hides only what it alone saw", lacking, () =>
    Effect.gen(function* () {
      const appliance = yield* Effect.promise(() =>
        startAppliance({
          LOG_LEVEL: "warning",
          AGGREGATION_WINDOW_SIZE_SECONDS: 10,
          AGGREGATION_LATENESS_SECONDS: 10,
          EXPORTERS_SILENCE_SECONDS: 20,
          AGGREGATION_FLUSH_INTERVAL_SECONDS: 5
        })
      )
      let found: OpenVswitch | undefined
      const network = yield* makeNetwork(
        (folder, namespace) =>
          Effect.tap(startOpenVswitch(folder, namespace, "clients"), (started) =>
            Effect.sync(() => {
              found = started
            })
          ),
        { apart: true }
      )
      const openvswitch = found!
      const servers = yield* startServers(network)
      yield* startServices(network)
      const toSwitch = `${network.switchHostAddress}:${appliance.ports.ipfix}`
      yield* openvswitch.exportIpfix(toSwitch)
      yield* startExporter("softflowd-v9", network, `${network.hostAddress}:${appliance.ports.netflow}`)

      const before = yield* network.wires
      const round = Effect.gen(function* () {
        return [...(yield* runTraffic(network, servers)), ...(yield* runErrands(network, serviceErrands(network)))]
      })
      // an exporter is known to see a dependency from when both tell of it in one slice
      const first = yield* round
      for (let i = 1; i < ROUNDS; i++) yield* round
      const across = first.map((one) => ({
        ...one,
        connections: one.connections * ROUNDS,
        payloadToClient: one.payloadToClient * ROUNDS
      }))
      const after = yield* network.wires
      const [beside] = yield* runErrands(network, [besideErrand])
      const [trickle] = yield* runErrands(network, [trickleErrand(4_000_000)])
      // Somebody always talks, so that whoever is silent is so for a reason: enough that a reader of packets is woken often (traffic.ts)
      // however seldom a busy machine comes to it, and again if it came to nothing once.
      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(Effect.ignore(runErrands(network, [trickleErrand(100_000)])), Effect.sleep("500 millis")))
      )
      const ran = [...across, beside!, trickle!]

      const expected = ran.map(label).sort()
      const there = yield* Effect.promise(() =>
        until("everything that ran is there, and both exporters saw what went across", async () => {
          const rows = await dependencies(appliance)
          return (
            expected.every((one) => rows.some((row) => label(row) === one)) &&
            rows.every((row) => row.status === "active" && row.exporters === (row.port === BESIDE ? 1 : 2)) &&
            rows
          )
        }).catch(() => dependencies(appliance))
      )
      assert.deepStrictEqual(there.map(label).sort(), expected)
      assert.deepStrictEqual(
        there.filter((row) => row.status !== "active" || row.exporters !== (row.port === BESIDE ? 1 : 2)),
        []
      )

      const { arrived, sent } = wiresSince(before, after)
      // The switch loses packets that are sent again: the router, which is before it, saw both, and may own what it saw.
      const lost = sent.bytes - arrived.bytes
      const counted = (rows: ReadonlyArray<Row>) =>
        rows.filter(({ port }) => port !== TRICKLE && port !== BESIDE).reduce((sum, row) => sum + Number(row.bytes), 0)
      const rows = yield* Effect.promise(() =>
        until("all volumes are there", async () => {
          const now = await dependencies(appliance)
          return counted(now) / arrived.bytes > 0.995 && now
        }).catch(() => dependencies(appliance))
      )
      const savings = yield* Effect.promise(() =>
        appliance.rows<{ exporter: string; records: string; bytes: string }>(
          "SELECT host(exporter) AS exporter, sum(records)::text AS records, sum(bytes)::text AS bytes FROM exporter_savings GROUP BY exporter"
        )
      )
      console.log("two exporters on one path", {
        connections: ran.reduce((sum, { connections }) => sum + connections, 0),
        kinds: new Set(ran.map(({ port, protocol }) => `${port}/${protocol}`)).size,
        sent,
        arrived,
        counted: counted(rows),
        savings
      })
      assert.isAbove(counted(rows), arrived.bytes * 0.995, "octets against the kernel's")
      assert.isBelow(counted(rows), sent.bytes * 1.005, "octets against the kernel's")
      const volumes = ran
        .filter(({ payloadToClient }) => payloadToClient > 0)
        .map(({ payloadToClient, ...one }) => {
          const bytes = Number(rows.find((row) => label(row) === label(one))!.bytes)
          assert.isAbove(bytes, payloadToClient, label(one))
          return { dependency: label(one), ratio: bytes / payloadToClient, beyond: Math.max(0, bytes - payloadToClient * HEADERS) }
        })
      // what was sent again is shared by all of them
      const beyond = volumes.reduce((sum, one) => sum + one.beyond, 0)
      assert.isAtMost(beyond, lost, JSON.stringify(volumes))
      const spared = savings.reduce((sum, { bytes }) => sum + Number(bytes), 0)
      assert.isAbove(spared, arrived.bytes * 0.9, "what the other exporter said of the same connections")

      const router = network.exporterAddress
      const switched = network.switchAddress
      yield* Effect.promise(() =>
        appliance.rows("INSERT INTO exporter_policies (exporter_id, approval) SELECT id, 'approved' FROM exporters")
      )
      yield* Effect.promise(() => until("all is looked at", async () => Object.keys(await blindness(appliance)).length === 0))
      assert.deepStrictEqual(yield* Effect.promise(() => silent(appliance)), [])
      yield* openvswitch.stopIpfix
      yield* Effect.promise(() => until("the alarm", async () => (await silent(appliance)).length > 0))
      const blind = yield* Effect.promise(() =>
        until("what it alone saw is blind", async () => {
          const now = await blindness(appliance)
          return Object.keys(now).length > 0 && now
        })
      )
      const alone = `${beside!.client} → ${beside!.server}:${BESIDE}`
      assert.deepStrictEqual(blind, { [alone]: `exporter ${switched} silent` })
      // longer than any limit that was set: the other one still sees the rest
      yield* Effect.sleep("22 seconds")
      assert.deepStrictEqual(yield* Effect.promise(() => blindness(appliance)), blind)
      assert.deepStrictEqual(yield* Effect.promise(() => silent(appliance)), [switched])
      const later = yield* Effect.promise(() => dependencies(appliance))
      assert.deepStrictEqual(
        later.map((row) => `${row.status} ${label(row)}`).sort(),
        expected.map((one) => `active ${one}`).sort()
      )
      assert.notInclude(yield* Effect.promise(() => silent(appliance)), router)

      yield* openvswitch.exportIpfix(toSwitch)
      yield* Effect.promise(() =>
        until(
          "all is looked at again, and nobody is alarmed",
          async () => Object.keys(await blindness(appliance)).length === 0 && (await silent(appliance)).length === 0
        )
      )
      assert.strictEqual(yield* Effect.promise(() => appliance.stop()), 0)
    })
  )
})
