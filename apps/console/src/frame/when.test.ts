import { assert, describe, it } from "vitest"
import { readAt, stepWindow, writeAt } from "./when.ts"

const at = (clock: string) => Date.parse(`2026-11-21T${clock}Z`)

describe("the window of a page", () => {
  it("steps back from live to the last whole window, and forward to live again", () => {
    const now = at("14:07:12")
    assert.strictEqual(stepWindow(undefined, -1, 300, now), at("14:00:00"))
    assert.strictEqual(stepWindow(at("14:00:00"), -1, 300, now), at("13:55:00"))
    assert.strictEqual(stepWindow(at("13:55:00"), 1, 300, now), at("14:00:00"))
    assert.isUndefined(stepWindow(at("14:00:00"), 1, 300, now))
    assert.isUndefined(stepWindow(undefined, 1, 300, now))
  })
  it("snaps an instant inside a window to its start", () => {
    assert.strictEqual(stepWindow(at("13:57:01"), -1, 300, at("14:07:12")), at("13:50:00"))
  })
  it("reads only instants with a zone, and writes them short", () => {
    assert.strictEqual(readAt("2026-11-21T14:05:00Z"), at("14:05:00"))
    assert.isUndefined(readAt("2026-11-21T14:05:00"))
    assert.isUndefined(readAt("last hour"))
    assert.isUndefined(readAt(null))
    assert.strictEqual(writeAt(at("14:05:00")), "2026-11-21T14:05:00Z")
  })
})
