import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { lookedBetween, staleAt, uniteSpans, unseenSince } from "./looking.ts"

const hour = 3_600_000
const Spans = Schema.Array(
  Schema.Struct({
    since: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })),
    until: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
  })
)
const Instant = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
const Enough = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 }))

describe("time of looking", () => {
  it("does not pass while nobody looks", () => {
    const spans = [
      { since: 0, until: 10 * hour },
      { since: 30 * hour, until: 100 * hour }
    ]
    assert.strictEqual(lookedBetween(spans, 8 * hour, 32 * hour), 4 * hour)
    // seen at 8 h, blind from 10 to 30: 24 h of looking are over at 52 h and not at 32
    assert.strictEqual(staleAt(spans, 8 * hour, 24 * hour), 52 * hour)
    assert.strictEqual(unseenSince(spans, 52 * hour, 24 * hour), 8 * hour)
    assert.isUndefined(unseenSince(spans, 12 * hour, 24 * hour))
    assert.isUndefined(staleAt(spans.slice(0, 1), 8 * hour, 24 * hour))
  })

  it("counts once when two look at the same time", () => {
    const united = uniteSpans([
      { since: 5, until: 9 },
      { since: 0, until: 6 },
      { since: 20, until: 20 },
      { since: 9, until: 12 }
    ])
    assert.deepStrictEqual(united, [{ since: 0, until: 12 }])
  })

  it.prop("the union holds an instant exactly when one of the spans does", { spans: Spans, at: Instant }, ({ spans, at }) => {
    const holds = (all: typeof spans) => all.some(({ since, until }) => since <= at && at < until)
    assert.strictEqual(holds(uniteSpans(spans)), holds(spans))
  })

  it.prop(
    "stale is whatever was last seen at the cut or before it, and it became so after exactly that much looking",
    { spans: Spans, seen: Instant, now: Instant, enough: Enough },
    ({ spans, seen, now, enough }) => {
      const united = uniteSpans(spans)
      const looked = seen <= now ? lookedBetween(united, seen, now) : 0
      const cut = unseenSince(united, now, enough)
      assert.strictEqual(cut !== undefined && seen <= cut, looked >= enough)
      const at = staleAt(united, seen, enough)
      assert.strictEqual(at !== undefined && at <= now, looked >= enough)
      if (at !== undefined) assert.strictEqual(lookedBetween(united, seen, at), enough)
    }
  )
})
