/**
 * Absence means something: an exporter that is stopped takes nothing off the map, a service that is stopped does, at its time. With the
 * whole appliance, two exporters over real UDP, and the limits as short as they can be set.
 */
import { assert, describe, it } from "vitest"
import { type Appliance, sleep, startAppliance, until } from "./Appliance.ts"
import { encoders, exchanges, openSender } from "./exporting.ts"

interface Edge {
  readonly client: string
  readonly server: string
  readonly port: number
  readonly stale: boolean
  readonly blind?: number
}

const mapOf = async (appliance: Appliance, query = "") => {
  const { json, status, text } = await appliance.api(`/topology${query}`)
  assert.strictEqual(status, 200, text)
  const address = new Map(json.nodes.map((node: { id: string; address: string }) => [node.id, node.address]))
  const edges = json.edges as ReadonlyArray<Edge>
  const why = (index: number | undefined): string | undefined => (index === undefined ? undefined : json.blindness[index].why)
  const find = (server: string) => {
    const edge = edges.find((one) => address.get(one.server) === server)
    return edge === undefined ? undefined : { stale: edge.stale, why: why(edge.blind) }
  }
  const blindNetworks = [
    ...new Set(
      (json.nodes as ReadonlyArray<{ network: string; blind?: number }>)
        .filter(({ blind }) => blind !== undefined)
        .map(({ network }) => network)
    )
  ].sort()
  return { find, blindNetworks }
}

/** An exporter that tells its services every half second, as long as they run. */
const play = async (address: string, port: number, services: Set<string>) => {
  const sender = await openSender(address)
  const encode = encoders.netflow9(1, 2000)
  const state = { stopped: false, turn: 0, lastMs: 0 }
  const playing = (async () => {
    while (!state.stopped) {
      const list = [...services].flatMap((server) =>
        exchanges(
          3,
          { client: server.replace(/\d+$/, "200"), server, port: 443, protocol: 6 },
          20_000 + ((state.turn * 3) % 40_000)
        )
      )
      state.turn++
      state.lastMs = Date.now()
      if (list.length > 0) await sender.send(encode(list, state.lastMs), port)
      await sleep(500)
    }
  })()
  return {
    services,
    /** When it spoke last. */
    lastMs: () => state.lastMs,
    stop: async () => {
      state.stopped = true
      await playing
    }
  }
}

describe("coverage", () => {
  it("an exporter that stops makes its part of the map blind and one alarm, a service that stops goes stale at its time", async () => {
    const staleSeconds = 20
    const appliance = await startAppliance({
      LOG_LEVEL: "warning",
      AGGREGATION_WINDOW_SIZE_SECONDS: 10,
      AGGREGATION_LATENESS_SECONDS: 1,
      EXPORTERS_SILENCE_SECONDS: 10,
      DEPENDENCIES_STALE_AFTER_HOURS: (staleSeconds / 3600).toFixed(6)
    })
    const one = await play("127.0.61.1", appliance.ports.netflow, new Set(["10.61.1.1", "10.61.2.1"]))
    const two = await play("127.0.61.2", appliance.ports.netflow, new Set(["10.61.3.1"]))
    await until("all is there and looked at", async () => {
      const { blindNetworks, find } = await mapOf(appliance)
      return ["10.61.1.1", "10.61.2.1", "10.61.3.1"].every((server) => find(server) !== undefined) && blindNetworks.length === 0
    })
    const exporters = await until("both exporters have rows", async () => {
      const { json } = await appliance.api("/exporters")
      return ["127.0.61.1", "127.0.61.2"].every((from) => json.some((one: { address: string }) => one.address === from)) && json
    })
    const idOf = (address: string): string => exporters.find((exporter: { address: string }) => exporter.address === address).id

    // its silence is somebody's business
    await appliance.rows(`INSERT INTO exporter_policies (exporter_id, approval) VALUES (${idOf("127.0.61.2")}, 'approved')`)

    // one exporter dies, and a service that the other one sees
    const stoppedAt = Date.now()
    await two.stop()
    one.services.delete("10.61.2.1")
    await until("the dead exporter's part is blind", async () => (await mapOf(appliance)).blindNetworks.includes("10.61.3.0/24"))
    const blind = await mapOf(appliance)
    assert.deepStrictEqual(blind.blindNetworks, ["10.61.3.0/24"])
    assert.deepStrictEqual(blind.find("10.61.3.1"), { stale: false, why: "exporter 127.0.61.2 silent" })
    assert.strictEqual(blind.find("10.61.1.1")?.why, undefined)

    await until("the stopped service is stale", async () => (await mapOf(appliance)).find("10.61.2.1")?.stale)
    const [gone] = await appliance.rows<{ late: number; seen: Date; at: Date }>(
      `SELECT extract(epoch FROM stale_at - last_seen)::float8 AS late, last_seen AS seen, stale_at AS at FROM dependencies
       WHERE host(target_address) = '10.61.2.1' AND status = 'stale'`
    )
    assert.closeTo(gone!.late, staleSeconds, 3, "stale after so much looking, whenever it was noticed")
    assert.isAtLeast(gone!.seen.getTime(), stoppedAt - 5000)

    // twice as long as what made the service stale: blind stays blind
    await until("much more time has passed", async () => Date.now() - stoppedAt > 2.5 * staleSeconds * 1000)
    const later = await mapOf(appliance)
    assert.deepStrictEqual(later.find("10.61.3.1"), { stale: false, why: "exporter 127.0.61.2 silent" })
    assert.deepStrictEqual(later.find("10.61.1.1"), { stale: false, why: undefined })
    assert.strictEqual(later.find("10.61.2.1")?.stale, true)
    assert.lengthOf(await appliance.rows("SELECT 1 FROM dependencies WHERE status = 'active'"), 2)

    const alarms = (await appliance.health()).warnings.filter(({ code }: { code: string }) => code === "exporter-silent")
    assert.deepStrictEqual(
      alarms.map(({ subject }: { subject: string }) => subject.split(" ")[0]),
      ["127.0.61.2"]
    )

    // the same ledger, window by window, and as it was when all was well
    const from = new Date(stoppedAt - 20_000).toISOString()
    const to = new Date(stoppedAt + 60_000).toISOString()
    const { json: ledger } = await appliance.api(`/coverage?exporter=${idOf("127.0.61.2")}&from=${from}&to=${to}`)
    const states = ledger.cells.map(({ state }: { state: string }) => state)
    assert.strictEqual(states.at(-1), "blind")
    assert.isAbove(ledger.cells.length, 3)
    assert.closeTo(Date.parse(ledger.blind.since), two.lastMs(), 5000)
    const { json: alive } = await appliance.api(`/coverage?exporter=${idOf("127.0.61.1")}&from=${from}&to=${to}`)
    assert.isNull(alive.blind)
    const { json: network } = await appliance.api(`/coverage?subnet=10.61.3.0/24&from=${from}&to=${to}`)
    assert.deepStrictEqual(
      network.observers.map((observer: { address: string }) => observer.address),
      ["127.0.61.2"]
    )
    const then = await mapOf(appliance, `?at=${new Date(stoppedAt - 1500).toISOString()}`)
    assert.deepStrictEqual(then.blindNetworks, [])

    // the appliance away is blind, too, and takes nothing with it
    await one.stop()
    await appliance.stop()
    await sleep(1000)
    await appliance.again()
    await until("the map is there", async () => (await mapOf(appliance)).find("10.61.1.1") !== undefined)
    const restarted = await mapOf(appliance)
    assert.deepStrictEqual(restarted.find("10.61.1.1"), {
      stale: false,
      why: "exporter 127.0.61.1 silent since the appliance was down"
    })
    assert.strictEqual(restarted.find("10.61.3.1")?.stale, false)
  })
})
