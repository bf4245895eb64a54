/** What people decide about an exporter, against a whole appliance and real datagrams: at once, counted, and there after a restart. */

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { splitCapture } from "../../apps/appliance/cli/capture.ts"
import { type Appliance, flowlens, sleep, startAppliance, until } from "./Appliance.ts"
import { blast } from "./blast.ts"
import { openSender, steady } from "./exporting.ts"

interface Seen {
  readonly id: string
  readonly address: string
  readonly state: string
  readonly name: string | null
  readonly recordsPerSecond: number
  readonly records: string
  readonly blocked: string
  readonly withheld: string
  readonly silentSince: string | null
  readonly policy: { readonly approval: string; readonly sampling: { readonly rate: number } | null }
}
const seen = async (appliance: Appliance, address: string): Promise<Seen | undefined> =>
  (await appliance.api("/exporters")).json?.find((one: Seen) => one.address === address)

const operatorOf = async (appliance: Appliance) => {
  const authorization = `Bearer ${await appliance.token("operator")}`
  return (path: string, method = "GET", body?: unknown) =>
    appliance.ask(`/api/v1${path}`, { method, headers: { authorization }, ...(body === undefined ? {} : { body }) })
}

describe("an exporter", () => {
  it("appears as new, is approved, named, blocked and let in again, and stays what it was over a restart", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning" })
    const address = "127.0.77.11"
    await steady("netflow9", appliance.ports.netflow, { address })
    const fresh = await until("it appears", () => seen(appliance, address))
    assert.strictEqual(fresh.policy.approval, "new")
    await until("it has a rate", async () => ((await seen(appliance, address))?.recordsPerSecond ?? 0) > 100)
    const operator = await operatorOf(appliance)
    const changed = await operator(`/exporters/${fresh.id}`, "PATCH", {
      approval: "approved",
      name: "edge",
      sampling: { rate: 10, mode: "replaces" }
    })
    assert.deepStrictEqual([changed.status, changed.json.policy.approval, changed.json.name], [200, "new", null])

    // volumes count ten times from now on, at once
    await until("scaled volumes", async () => {
      const [row] = await appliance.rows<{ rate: number }>("SELECT max(sampling)::int AS rate FROM dependencies")
      return row?.rate === 10
    })

    await operator(`/exporters/${fresh.id}`, "PATCH", { approval: "blocked" })
    const refused = await until("datagrams are refused", async () => {
      const one = await seen(appliance, address)
      return Number(one?.blocked) > 5 ? one : undefined
    })
    const later = await until("more of them are refused", async () => {
      const one = await seen(appliance, address)
      return Number(one?.blocked) > Number(refused.blocked) + 20 ? one! : undefined
    })
    assert.strictEqual(later.records, refused.records, "nothing of it is decoded")
    assert.isNull(later.silentSince, "blocked is not silent")

    assert.strictEqual(await appliance.stop(), 0)
    await appliance.again()
    const after = await until("it is blocked again", async () => {
      const one = await seen(appliance, address)
      return Number(one?.blocked) > 5 ? one : undefined
    })
    assert.deepStrictEqual([after.name, after.policy.approval, after.policy.sampling?.rate], ["edge", "blocked", 10])
    const again = await operatorOf(appliance)
    await again(`/exporters/${fresh.id}`, "PATCH", { approval: "approved" })
    await until("it is heard again", async () => ((await seen(appliance, address))?.recordsPerSecond ?? 0) > 100)
    const audit = await appliance.rows<{ action: string }>(
      "SELECT action FROM audit_log WHERE action LIKE 'exporter.%' ORDER BY sequence"
    )
    assert.deepStrictEqual(
      audit.map(({ action }) => action),
      ["exporter.change", "exporter.change", "exporter.change"]
    )
  })

  it("has its flows kept off the map until it is approved, where approval is required, and is new again once forgotten", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning", EXPORTERS_REQUIRE_APPROVAL: "true" })
    const address = "127.0.77.12"
    const traffic = await steady("ipfix", appliance.ports.ipfix, { address })
    const withheld = await until("records are withheld", async () => {
      const one = await seen(appliance, address)
      return Number(one?.withheld) > 100 ? one : undefined
    })
    await until("health tells of it", () => appliance.warning("exporters-unapproved"))
    await until("what could have been written would be", async () => Number((await seen(appliance, address))?.withheld) > 1500)
    assert.strictEqual((await appliance.written()).records, 0)
    const operator = await operatorOf(appliance)
    await operator(`/exporters/${withheld.id}`, "PATCH", { approval: "approved" })
    await until("flows are written", async () => (await appliance.written()).records > 100)
    await until("nobody waits for approval", async () => (await appliance.warning("exporters-unapproved")) === undefined)
    await traffic.stop()
    assert.strictEqual((await operator(`/exporters/${withheld.id}`, "DELETE")).status, 204)
    await until("it is forgotten", async () => (await seen(appliance, address)) === undefined)
    // and does not come back by itself
    await sleep(2500)
    assert.isUndefined(await seen(appliance, address))
    await steady("ipfix", appliance.ports.ipfix, { address })
    const back = await until("it is back", () => seen(appliance, address))
    assert.notStrictEqual(back.id, withheld.id)
    assert.strictEqual(back.policy.approval, "new")
  })

  it("raises one alarm when it falls silent, the same after a restart, and none when it is heard", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning", EXPORTERS_SILENCE_SECONDS: 10 })
    const address = "127.0.77.13"
    const traffic = await steady("netflow5", appliance.ports.netflow, { address })
    const { id } = await until("it appears", () => seen(appliance, address))
    const operator = await operatorOf(appliance)
    await operator(`/exporters/${id}`, "PATCH", { approval: "approved" })
    await traffic.stop()
    const alarms = async () => (await appliance.health()).warnings.filter((one: { code: string }) => one.code === "exporter-silent")
    const first = await until("the alarm", async () => ((await alarms()).length > 0 ? alarms() : undefined))
    assert.strictEqual(first.length, 1)
    assert.match(first[0].subject, /^127\.0\.77\.13 /)
    await until("it is shown so", async () => (await seen(appliance, address))?.state === "silent")
    await until("it is a row", async () => {
      const [row] = await appliance.rows<{ since: string | null }>("SELECT silent_since::text AS since FROM exporters")
      return row?.since ?? undefined
    })
    await appliance.stop()
    await appliance.again()
    const second = await until("the alarm stands", async () => ((await alarms()).length > 0 ? alarms() : undefined))
    assert.strictEqual(second[0].since, first[0].since, "since its last datagram, whichever run saw it")
    await steady("netflow5", appliance.ports.netflow, { address })
    await until("the alarm goes", async () => (await alarms()).length === 0)
  })

  it("is captured, good and malformed datagrams, to a file that our own decoder reads", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning" })
    const address = "127.0.77.14"
    const first = await steady("netflow9", appliance.ports.netflow, { address })
    const { id } = await until("it appears", () => seen(appliance, address))
    // silent for a while, so that the capture ends when the test says so
    await first.stop()
    const operator = await operatorOf(appliance)
    const lastOnes = await operator(`/exporters/${id}/captures`, "POST", { last: 5 })
    assert.deepStrictEqual([lastOnes.status, lastOnes.json.wanted], [202, 5], lastOnes.text)
    const { datagrams } = await until("the last ones are there at once", async () => {
      const [one] = (await operator(`/exporters/${id}/captures`)).json
      return one.state === "ready" ? one : undefined
    })
    assert.strictEqual(datagrams, 5)
    assert.strictEqual((await operator(`/exporters/${id}/captures`, "POST", { last: 0 })).status, 400)
    const started = await operator(`/exporters/${id}/captures`, "POST", { next: 60, seconds: 60 })
    assert.strictEqual(started.status, 202, started.text)
    assert.strictEqual((await operator(`/exporters/${id}/captures`, "POST", { next: 5, seconds: 5 })).status, 409)
    const sender = await openSender(address)
    await sender.send([Uint8Array.of(0, 9, 0, 1, 0, 0), new TextEncoder().encode("not a flow at all")], appliance.ports.netflow)
    await steady("netflow9", appliance.ports.netflow, { address })
    const ready = await until("it is ready", async () => {
      const [one] = (await operator(`/exporters/${id}/captures`)).json
      return one.state === "ready" ? one : undefined
    })
    assert.strictEqual(ready.datagrams, 60)
    const path = `/exporters/${id}/captures/${ready.id}.pcap`
    assert.strictEqual((await appliance.ask(`/api/v1${path}`)).status, 401)
    const viewer = `Bearer ${await appliance.token("viewer")}`
    assert.strictEqual((await appliance.ask(`/api/v1${path}`, { headers: { authorization: viewer } })).status, 403)
    const file = join(appliance.data, "captures", `fetched.pcap`)
    const { body, type } = await appliance.bytes(`/api/v1${path}`, await appliance.token("operator"))
    assert.strictEqual(type, "application/vnd.tcpdump.pcap")
    writeFileSync(file, body)
    const all = splitCapture(body, "pcap")
    assert.strictEqual(all.length, 60)
    assert.isTrue(all.every(({ source, destinationPort }) => source === address && destinationPort === appliance.ports.netflow))
    assert.isTrue(all.some(({ payload }) => payload.length === 6))
    assert.isTrue(all.some(({ payload }) => new TextDecoder().decode(payload) === "not a flow at all"))
    const { code, output } = await flowlens(["decode", "--as", "pcap", file], {})
    assert.strictEqual(code, 0)
    const summary = JSON.parse(output.trim().split("\n").at(-1)!).summary
    assert.isAbove(summary.dataRecords, 500)
    assert.strictEqual((await operator(`/exporters/${id}/captures/${ready.id}`, "DELETE")).status, 204)
    assert.strictEqual((await operator(path)).status, 404)
  })

  it("has the rate that was sent, within 2 % over a minute", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning" })
    const address = "127.0.77.15"
    // one that makes up for its own pauses: of a minute, a busy machine's are more than two hundredths
    const traffic = await blast(appliance.ports.netflow, { recordsPerSecond: 600, conversations: 150, address })
    await until("it appears", () => seen(appliance, address))
    // the console shows the last minute: what was sent at its two ends, by the sender's own count and clock
    const from = { at: performance.now(), records: traffic.records() }
    let [shown, sent] = [0, 1]
    await until(
      "a minute has passed, and the rate is that of its two ends",
      async () => {
        const at = performance.now()
        sent = (traffic.records() - from.records) / ((at - from.at) / 1000)
        shown = (await seen(appliance, address))?.recordsPerSecond ?? 0
        return at - from.at > 61_000 && Math.abs(shown - sent) <= sent * 0.02
      },
      120
    ).catch(() => assert.closeTo(shown, sent, sent * 0.02))
  })
})
