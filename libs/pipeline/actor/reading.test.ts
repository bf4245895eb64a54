import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { ActorReading } from "#domain/Health.ts"
import type { ActorEntry } from "./ActorEntry.ts"
import { readingOf } from "./reading.ts"

describe("reading", () => {
  it("goes over the wire and comes back, whatever the actor has", () => {
    const bare: ActorEntry = {
      path: "flow/worker-1/udp:2055",
      state: "running",
      since: 1_763_690_523_004,
      restarts: 0,
      lastError: null,
      mailbox: null,
      gauges: {},
      remote: true,
      restartable: true
    }
    const full: ActorEntry = {
      ...bare,
      state: "restarting",
      restarts: 3,
      lastError: { message: "port in use", at: 1_763_690_523_005 },
      mailbox: { name: "datagrams", policy: "refuse", capacity: 8, depth: 2, offered: 9_007_199_254_740_991, taken: 5, refused: 7 },
      gauges: { datagrams: 7, broken: Number.NaN }
    }
    const codec = Schema.toCodecJson(ActorReading)
    for (const entry of [bare, full]) {
      const wire = JSON.stringify(Schema.encodeSync(codec)(readingOf(entry)))
      assert.deepStrictEqual(Schema.decodeUnknownSync(codec)(JSON.parse(wire)), readingOf(entry))
    }
    assert.deepInclude(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(readingOf(full)))), {
      since: "2025-11-21T02:02:03.004Z",
      restarts: 3
    })
  })
})
