import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { Address, defaultInternalRanges, networkSet } from "#domain/Address.ts"
import { demoNames, hosts } from "./hosts.ts"
import { expectedDependencies, makeWorld } from "./world.ts"

const world = makeWorld()
const expected = expectedDependencies(world)
const key = (d: { client: string; server: string; port: number; protocol: number }) =>
  `${d.client} ${d.server} ${d.port}/${d.protocol}`

describe("the demo's world", () => {
  it("names every host and address once, in the form the domain writes addresses", () => {
    assert.strictEqual(new Set(hosts.map((host) => host.name)).size, hosts.length)
    assert.strictEqual(demoNames.size, hosts.length)
    for (const host of hosts) assert.strictEqual(Schema.decodeUnknownSync(Address)(host.address), host.address)
  })

  it("keeps inside what is private, and outside what is reserved for documentation", () => {
    const internal = networkSet(defaultInternalRanges)
    const documentation = networkSet(["198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"])
    for (const host of hosts) {
      assert.strictEqual(internal.hasText(host.address), host.zone !== "outside", host.name)
      assert.strictEqual(documentation.hasText(host.address), host.zone === "outside", host.name)
    }
  })

  it("expects each dependency once, none on itself, and uses every host", () => {
    assert.strictEqual(new Set(expected.map(key)).size, expected.length)
    for (const dependency of expected) assert.notStrictEqual(dependency.client, dependency.server)
    const used = new Set(expected.flatMap((dependency) => [dependency.client, dependency.server]))
    assert.deepStrictEqual(
      hosts.filter((host) => !used.has(host.address)).map((host) => host.name),
      []
    )
  })

  it("never has both ends serve each other on different ports between the same pair, unless they are a cluster", () => {
    const pairs = new Set(expected.map((d) => `${d.client} ${d.server} ${d.port}`))
    const both = world.dependencies.filter((d) => pairs.has(`${d.server.address} ${d.client.address} ${d.port}`))
    assert.deepStrictEqual([...new Set(both.map((d) => d.client.name.replace(/-\d$/, "")))], ["kafka"])
  })

  it("leaves the backup out when the night was not played", () => {
    const steady = expectedDependencies(world, { nightly: false })
    assert.strictEqual(expected.length - steady.length, 5)
    assert.isFalse(steady.some((dependency) => dependency.port === 9102))
  })
})
