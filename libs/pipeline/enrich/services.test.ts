import { assert, describe, it } from "@effect/vitest"
import { makePortRanks, portRank, RANK_CLIENT, RANK_DECLARED, RANK_EPHEMERAL, RANK_SERVICE } from "#domain/PortRank.ts"
import { makeServiceNames, services } from "./services.ts"

describe("services", () => {
  it("names what people meet, by protocol", () => {
    const { name } = makeServiceNames()
    assert.deepStrictEqual(
      [name(6, 22), name(6, 443), name(17, 443), name(6, 5432), name(17, 53), name(17, 514), name(6, 514), name(6, 3389)],
      ["ssh", "https", "https", "postgresql", "dns", "syslog", "shell", "rdp"]
    )
    assert.strictEqual(name(6, 48_123), undefined)
    assert.strictEqual(name(17, 5432), undefined)
  })

  it("is a table without holes: over 200 entries, each with a port, a title and a plain name, none twice", () => {
    assert.isAbove(services.length, 200)
    for (const service of services) {
      assert.match(service.name, /^[a-z0-9]+(-[a-z0-9]+)*$/)
      assert.isTrue(service.port > 0 && service.port < 65_536 && service.title !== "", service.name)
    }
    assert.strictEqual(new Set(services.map(({ port, protocol }) => `${protocol} ${port}`)).size, services.length)
  })

  it("lets the operator's name replace a shipped one", () => {
    const names = makeServiceNames([{ protocol: 6, port: 8080, name: "billing", title: "Billing" }])
    assert.strictEqual(names.name(6, 8080), "billing")
    assert.strictEqual(names.name(6, 8081), "http-alt")
    assert.strictEqual(names.all().filter(({ port, protocol }) => protocol === 6 && port === 8080).length, 1)
    assert.strictEqual(names.all().length, services.length)
  })

  it("ranks ports: declared before known, known before ephemeral, a client's own port last", () => {
    const ranks = makePortRanks(services, [{ protocol: 17, port: 40_000 }])
    assert.strictEqual(portRank(ranks, 6, 443), RANK_SERVICE)
    assert.strictEqual(portRank(ranks, 17, 40_000), RANK_DECLARED)
    assert.strictEqual(portRank(ranks, 6, 40_000), RANK_EPHEMERAL)
    assert.strictEqual(portRank(ranks, 17, 68), RANK_CLIENT)
    assert.strictEqual(portRank(ranks, 132, 5432), RANK_SERVICE)
  })
})
