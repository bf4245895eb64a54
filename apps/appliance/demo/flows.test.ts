import { assert, describe, it } from "vitest"
import { ACK, type Conversation, DAY_MS, hourOf, makeTraffic, RST, SYN } from "./flows.ts"
import { makeWorld } from "./world.ts"

const START = Date.UTC(2026, 2, 3, 9, 0, 0)
const world = makeWorld()

/** Conversations of so many seconds, asked for every quarter of one, as the demo does. */
const play = (seconds: number, seed = 1): ReadonlyArray<Conversation> => {
  const traffic = makeTraffic(world, START, seed)
  const seen: Array<Conversation> = []
  for (let at = START; at <= START + seconds * 1000; at += 250) seen.push(...traffic.until(at))
  return seen
}

describe("the demo's traffic", () => {
  it("is the same for the same seed and another for another", () => {
    assert.deepStrictEqual(play(20, 7), play(20, 7))
    assert.notDeepEqual(play(20, 7), play(20, 8))
  })

  it("does not depend on how often it is asked", () => {
    const sorted = (list: ReadonlyArray<Conversation>) => [...list].sort((a, b) => a.end - b.end || a.clientPort - b.clientPort)
    assert.deepStrictEqual(sorted(play(10, 3)), sorted(makeTraffic(world, START, 3).until(START + 10_000)))
  })

  it("gives every steady dependency four conversations, and every host five, within twenty seconds", () => {
    const seen = play(20).filter((c) => c.dependency !== null)
    const of = new Map<unknown, number>()
    for (const c of seen) for (const of1 of [c.dependency, c.client, c.server]) of.set(of1, (of.get(of1) ?? 0) + 1)
    for (const dependency of world.dependencies) {
      if (dependency.profile.nightly) continue
      assert.isAtLeast(of.get(dependency) ?? 0, 4, `${dependency.client.name} → ${dependency.server.name}:${dependency.port}`)
    }
    const nightly = new Set(world.dependencies.filter((d) => d.profile.nightly).flatMap((d) => [d.client, d.server]))
    for (const host of world.hosts) if (!nightly.has(host)) assert.isAtLeast(of.get(host) ?? 0, 4, host.name)
  })

  it("ends conversations in the order and at the time it says, the answer never before the question", () => {
    const traffic = makeTraffic(world, START)
    let before = Number.NEGATIVE_INFINITY
    for (let at = START; at <= START + 60_000; at += 250) {
      for (const c of traffic.until(at)) {
        assert.isAtMost(c.end, at)
        assert.isAtLeast(c.end, c.start)
        if (c.toClient.packets > 0) assert.isTrue(c.answer > c.start && c.answer <= c.end)
        assert.isTrue(c.toServer.packets > 0 && c.toServer.bytes >= c.toServer.packets * 28)
        before = Math.max(before, c.end)
      }
    }
    assert.isAbove(before, START + 55_000)
  })

  it("plays the backup at night, every day, and only then", () => {
    const backups = play((2 * DAY_MS) / 1000).filter((c) => c.dependency?.profile.nightly === true)
    assert.isAbove(backups.length, 50)
    for (const c of backups) assert.isTrue(hourOf(c.start - START) >= 1 && hourOf(c.start - START) < 4)
    assert.isTrue(backups.some((c) => c.start > START + DAY_MS))
    assert.isBelow(Math.min(...backups.map((c) => c.start)) - START, 90_000)
  })

  it("lets the scanner send single SYNs that nobody accepts", () => {
    const probes = play(60).filter((c) => c.dependency === null)
    assert.isAbove(probes.length, 500)
    const listening = new Set(world.dependencies.map((d) => `${d.server.address} ${d.port}`))
    for (const probe of probes) {
      assert.deepStrictEqual([probe.toServer.packets, probe.toServer.flags], [1, SYN])
      assert.isTrue(probe.toClient.packets === 0 || probe.toClient.flags === (RST | ACK))
      assert.isFalse(listening.has(`${probe.server.address} ${probe.serverPort}`))
    }
    const answered = probes.filter((probe) => probe.toClient.packets > 0).length
    assert.isTrue(answered > 0 && answered < probes.length / 2)
  })

  it("sends syslog and traps one way, and NFS from a port below 1024", () => {
    for (const c of play(30)) {
      if (c.dependency === null) continue
      assert.strictEqual(c.toClient.packets === 0, c.serverPort === 514 || c.serverPort === 162)
      assert.strictEqual(c.clientPort < 1024, c.serverPort === 2049)
    }
  })
})
