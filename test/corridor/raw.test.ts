/** Single flow records through the whole appliance: kept when asked for, page by page, and not otherwise. */
import { assert, describe, it } from "vitest"
import { startAppliance, until } from "./Appliance.ts"
import { encoders, exchanges, openSender } from "./exporting.ts"

describe("single flow records", () => {
  it("are kept as they were exported, found by port, and paged without one missing", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning", FLOW_RAW_KEEP: "true" })
    const headers = { authorization: `Bearer ${await appliance.token("analyst")}` }
    const sender = await openSender("127.0.51.9")
    const web = exchanges(300, { client: "10.1.0.1", server: "10.2.0.1", port: 443, protocol: 6 })
    const dns = exchanges(20, { client: "10.1.0.1", server: "10.2.0.2", port: 53, protocol: 17 })
    await sender.send(encoders.netflow9()([...web, ...dns], Date.now()), appliance.ports.netflow)

    const all = async (query: string) => {
      const found: Array<{ id: string; sourcePort: number; destinationPort: number; octets: string; exporter: string }> = []
      for (let after = ""; ; ) {
        const { json, status, text } = await appliance.ask(`/api/v1/flows?limit=100${query}${after}`, { headers })
        assert.strictEqual(status, 200, text)
        found.push(...json.items)
        if (json.next === undefined) return found
        after = `&after=${json.next}`
      }
    }
    const kept = await until("all records are kept", async () => {
      const found = await all("")
      return found.length >= 640 && found
    })
    assert.strictEqual(kept.length, 640)
    assert.strictEqual(new Set(kept.map(({ id }) => id)).size, 640)
    assert.isTrue(kept.every(({ exporter }) => exporter === "127.0.51.9"))
    const asked = await all("&port=53&host=10.2.0.0/24&protocol=17")
    assert.strictEqual(asked.length, 40)
    assert.deepStrictEqual(new Set(asked.map(({ octets }) => octets)), new Set(["1500", "24000"]))
    const wrong = await appliance.ask("/api/v1/flows?host=ten", { headers })
    assert.strictEqual(wrong.status, 400, wrong.text)
    assert.include(wrong.text, "expected an address or a network as host")
    await appliance.stop()
  })

  it("are not kept unless asked for, and the answer says so", async () => {
    const appliance = await startAppliance({ LOG_LEVEL: "warning" })
    const headers = { authorization: `Bearer ${await appliance.token("analyst")}` }
    const { json } = await appliance.ask("/api/v1/flows", { headers })
    assert.deepStrictEqual(json, { kept: false, items: [], searchedTo: null })
    await appliance.stop()
  })
})
