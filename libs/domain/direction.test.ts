import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makePortRanks } from "#domain/PortRank.ts"
import { services } from "#pipeline/enrich/services.ts"
import { randomFrom } from "../../test/rig/flow-records.ts"
import { directionMargin, directionOdds, directionParts, type Evidence, noEvidence, portRankEvidence } from "./direction.ts"

const mirrored = (one: Evidence): Evidence => ({
  synForward: one.synReverse,
  synReverse: one.synForward,
  synAckForward: one.synAckReverse,
  synAckReverse: one.synAckForward,
  beganForward: one.beganReverse,
  beganReverse: one.beganForward,
  portRank: -one.portRank,
  fanIn: one.fanInAgainst,
  fanInAgainst: one.fanIn,
  clientPorts: -one.clientPorts,
  history: -one.history,
  companion: one.companion,
  declared: false
})

describe("direction", () => {
  it("is a guess without evidence and certain when declared", () => {
    assert.strictEqual(directionMargin(noEvidence), 0)
    assert.strictEqual(directionMargin({ ...noEvidence, declared: true, synReverse: 100, portRank: -2 }), 1)
    assert.strictEqual(directionOdds({ ...noEvidence, declared: true }), Number.POSITIVE_INFINITY)
  })

  it("orders the evidence: SYN, SYN-ACK, history, named service, who began, known service, fan-in, ephemeral port", () => {
    const many = 1000
    const margins = [
      { ...noEvidence, companion: true },
      { ...noEvidence, synForward: many },
      { ...noEvidence, synAckForward: many },
      { ...noEvidence, history: many },
      { ...noEvidence, portRank: 3 },
      { ...noEvidence, beganForward: many },
      { ...noEvidence, portRank: 2 },
      { ...noEvidence, fanIn: many },
      { ...noEvidence, portRank: 1 }
    ].map(directionMargin)
    for (let i = 1; i < margins.length; i++) assert.isAbove(margins[i - 1]!, margins[i]!)
    assert.isAbove(margins.at(-1)!, 0)
  })

  it("lets one SYN overrule a known port, and a few starts overrule it too", () => {
    assert.isBelow(directionMargin({ ...noEvidence, synReverse: 1, portRank: 2 }), 0)
    assert.isBelow(directionMargin({ ...noEvidence, beganReverse: 10, portRank: 2 }), 0)
    assert.isAbove(directionMargin({ ...noEvidence, beganReverse: 1, portRank: 2 }), 0)
  })

  it("tells a known service from a habit of operating systems", () => {
    const ranks = makePortRanks(services, [{ protocol: 6, port: 9999 }])
    assert.strictEqual(portRankEvidence(ranks, 6, 45_000, 5432), 2)
    assert.strictEqual(portRankEvidence(ranks, 6, 5432, 45_000), -2)
    assert.strictEqual(portRankEvidence(ranks, 6, 45_000, 8999), 1)
    // A client below 1024 (NFS, rsh) to a known service, and to an unknown one
    assert.strictEqual(portRankEvidence(ranks, 6, 800, 2049), 2)
    assert.strictEqual(portRankEvidence(ranks, 6, 800, 8999), -1)
    assert.strictEqual(portRankEvidence(ranks, 6, 443, 9999), 3)
    assert.strictEqual(portRankEvidence(ranks, 17, 68, 67), 2)
    assert.strictEqual(portRankEvidence(ranks, 17, 123, 123), 0)
    assert.strictEqual(portRankEvidence(ranks, 1, 0, 0), 0)
  })

  it.prop("stays within -1..1, and more evidence for a direction never speaks against it", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    for (let i = 0; i < 50; i++) {
      const evidence: Evidence = {
        synForward: random(20),
        synReverse: random(20),
        synAckForward: random(20),
        synAckReverse: random(20),
        beganForward: random(20),
        beganReverse: random(20),
        portRank: random(5) - 2,
        fanIn: random(50),
        fanInAgainst: random(50),
        clientPorts: random(50) - 25,
        history: random(31) - 15,
        companion: random(4) === 0,
        declared: false
      }
      const margin = directionMargin(evidence)
      assert.isAtMost(Math.abs(margin), 1)
      for (const key of ["portRank", "fanIn", "clientPorts", "history"] as const) {
        const more = directionMargin({ ...evidence, [key]: evidence[key] + 1 })
        assert.isAtLeast(more, margin - 1e-12, key)
      }
      assert.isAtMost(directionMargin({ ...evidence, fanInAgainst: evidence.fanInAgainst + 1 }), margin + 1e-12)
      // the parts that the page shows are what the sum is made of
      const sum = Object.values(directionParts(evidence)).reduce((total, part) => total + part, 0)
      assert.closeTo(directionOdds(evidence), sum, 1e-9)
      // the other direction's evidence is the mirror of this one's
      assert.closeTo(directionOdds(mirrored(evidence)), evidence.companion ? 16 - sum : -sum, 1e-9)
      // Of counted evidence the balance decides: one more for it can dilute nothing when none speaks against.
      for (const key of ["syn", "synAck", "began"] as const) {
        const alone = { ...evidence, [`${key}Reverse`]: 0 }
        const more = directionMargin({ ...alone, [`${key}Forward`]: alone[`${key}Forward`] + 1 })
        assert.isAtLeast(more, directionMargin(alone) - 1e-12, key)
      }
    }
  })
})
