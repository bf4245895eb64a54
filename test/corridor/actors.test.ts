/** Every part of the running appliance is ended under traffic, and a slice is made that cannot be written: what came is accounted for. */
import { assert, describe, it } from "vitest"
import { sleep, startAppliance, until } from "./Appliance.ts"
import { steady } from "./exporting.ts"
import { rpc } from "./rpc.ts"

interface Actor {
  readonly path: string
  readonly state: string
  readonly restarts: number
  readonly lastError: { readonly message: string } | null
}

describe("parts that end", () => {
  it("are started again, shown, and every datagram is accounted for; a poison slice is given up and counted", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "error" })
    const traffic = await steady("netflow9", appliance.ports.netflow, { each: 10 })
    await until("flows are written", async () => (await appliance.written()).records > 100)
    const token = await appliance.token("admin")
    const actors = async (): Promise<ReadonlyArray<Actor>> => (await appliance.health()).actors
    const expected = ["flow/resolve", "flow/worker-1", "flow/worker-1/decode", "flow/worker-1/window", "console/vitals"]
    // the parts inside the worker's thread are told once a second
    const before = await until("every part is in the tree", async () => {
      const now = await actors()
      return expected.every((path) => now.some((one) => one.path === path)) && now
    })
    // groups have no life of their own, and a socket's is its worker's
    const paths = before.map((one) => one.path).filter((path) => path.includes("/") && !path.includes("udp:"))
    for (const path of paths) {
      const answer = await rpc(appliance, token, "ActorRestart", { path })
      assert.include(answer, "Success", `${path}: ${answer}`)
      await sleep(200)
    }
    assert.include(await rpc(appliance, token, "ActorRestart", { path: "flow/nobody" }), "ActorNotFound")
    await until("all run again", async () => {
      const now = await actors()
      return now.every((one) => one.state === "running" || one.state === "idle") && now.length >= before.length
    })
    const again = await actors()
    console.log(
      "restarted",
      again.map(({ path, restarts, state, lastError }) => `${path} ${state} ${restarts} ${lastError?.message ?? ""}`)
    )

    // a slice that the database refuses for its own sake, as a row that breaks a rule does
    await appliance.rows(`CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$`)
    await appliance.rows("CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON windows FOR EACH STATEMENT EXECUTE FUNCTION poison()")
    const lost = await until("a slice is given up", async () => {
      const { flow } = await appliance.health()
      return Number(flow.lostOpenSlices) > 0 && Number(flow.lostOpenSlices)
    })
    await appliance.rows("DROP TRIGGER poison ON windows")
    assert.isAbove(lost, 0)
    const heldUp = (await appliance.written()).records
    await until("the next slices are written", async () => (await appliance.written()).records > heldUp)
    await traffic.stop()
    await until("the last datagrams are reported", async () => {
      const [{ datagrams, sequenceLost }] = (await appliance.api("/exporters")).json
      return Number(datagrams) + Number(sequenceLost) >= traffic.datagrams()
    })
    const health = await appliance.health()
    const [exporter] = (await appliance.api("/exporters")).json
    assert.strictEqual(await appliance.stop(), 0)
    await appliance.again()
    const [row] = await appliance.rows<{ datagrams: string; records: string; written: string }>(
      "SELECT datagrams::text, records::text, records_written::text written FROM boots ORDER BY started_at LIMIT 1"
    )
    const written = await appliance.written()
    const figures = {
      sent: { datagrams: traffic.datagrams(), records: traffic.records() },
      flow: health.flow,
      gaps: exporter.sequenceLost,
      row,
      written: written.records
    }
    console.log("parts restarted, a slice poisoned", figures)
    const text = JSON.stringify(figures)
    // between two runs of the worker nobody listens, and its exporter's own numbers say so
    assert.strictEqual(Number(row!.datagrams) + Number(exporter.sequenceLost), traffic.datagrams(), text)
    assert.strictEqual(exporter.sequenceResets, "0")
    // what was folded is written, or was told lost
    assert.strictEqual(written.records + Number(health.flow.lostOpenSlices), Number(row!.records), text)
    assert.strictEqual(written.bytes, (written.records / 2) * 25_500, text)
    assert.strictEqual(await appliance.stop(), 0)
  })
})
