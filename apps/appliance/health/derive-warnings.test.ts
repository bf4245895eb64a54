import { DateTime } from "effect"
import { assert, describe, it } from "vitest"
import { foldWarnings, makeFoldState } from "../flow/keep-folding.ts"
import { deriveWarnings, type WarningInputs } from "./derive-warnings.ts"
import { makeWarningLedger } from "./WarningLedger.ts"
import { well } from "./well.fixture.ts"

const codes = (inputs: Partial<WarningInputs>) => deriveWarnings({ ...well, ...inputs }).map((warning) => warning.code)
const actor = { path: "flow/resolve", since: 0, mailbox: null, gauges: {}, remote: false, restartable: true } as const

describe("warnings", () => {
  it("tells for ten minutes that the database's server was started again", () => {
    const databaseServer = { since: well.now - 1000, restarts: 1, lastFault: "the server went away" }
    const [warning] = deriveWarnings({ ...well, databaseServer })
    assert.deepInclude(warning, {
      code: "actor-restarted",
      subject: "database",
      detail: "1 restart(s); last: the server went away"
    })
    assert.deepStrictEqual(codes({ databaseServer, now: well.now + 600_000 }), [])
    assert.deepStrictEqual(codes({ databaseServer: { ...databaseServer, restarts: 0 } }), [])
  })

  it("says nothing while all is well", () => {
    assert.deepStrictEqual(codes({}), [])
  })

  it("tells a low disk from a full one, and neither on a large disk with room", () => {
    assert.deepStrictEqual(codes({ diskFreeBytes: 5e9 }), ["disk-low"])
    assert.deepStrictEqual(codes({ diskFreeBytes: 10e6 }), ["disk-full"])
    assert.deepStrictEqual(codes({ diskFreeBytes: 50e9, diskTotalBytes: 1000e9 }), [])
  })

  it("says for a day what was dropped for lack of room, and that nothing is left", () => {
    const at = DateTime.makeUnsafe(well.now)
    const dropped = [{ name: "flow_stats_20260105", at, why: "room" } as const]
    const storage = { ...well.storage, dropped }
    assert.deepStrictEqual(codes({ storage }), ["dropped-for-room"])
    assert.deepStrictEqual(codes({ storage, now: well.now + 25 * 3_600_000 }), [])
    assert.deepStrictEqual(codes({ storage: { ...storage, dropped: [{ ...dropped[0]!, why: "age" }] } }), [])
    assert.deepStrictEqual(codes({ storage: { ...well.storage, exhausted: true } }), ["storage-exhausted"])
  })

  it("keeps a restart in view for ten minutes, and a given-up actor until it runs", () => {
    const lastError = { message: "boom", at: well.now - 60_000 }
    assert.deepStrictEqual(codes({ actors: [{ ...actor, state: "running", restarts: 1, lastError }] }), ["actor-restarted"])
    const old = { message: "boom", at: well.now - 700_000 }
    assert.deepStrictEqual(codes({ actors: [{ ...actor, state: "running", restarts: 1, lastError: old }] }), [])
    assert.deepStrictEqual(codes({ actors: [{ ...actor, state: "given-up", restarts: 5, lastError: old }] }), ["actor-gave-up"])
  })

  it("makes one line of one trouble at three ports", () => {
    const flow = [2055, 4739, 6343].map((port) => ({ code: "receive-buffer", subject: `udp:${port}`, detail: "small" }) as const)
    assert.deepStrictEqual(deriveWarnings({ ...well, flow }), [
      { code: "receive-buffer", subject: "udp:2055, udp:4739, udp:6343", detail: "small" }
    ])
  })

  it("says that the journal waits after half a minute of failures, and at once that an entry cannot be read", () => {
    const state = makeFoldState()
    const said = (unreadable: number) => codes({ flow: foldWarnings(state, unreadable) })
    state.failures = 14
    assert.deepStrictEqual(said(0), [])
    state.failures = 15
    assert.deepStrictEqual(said(0), ["journal-lags"])
    state.failures = 0
    assert.deepStrictEqual(said(1), ["journal-unreadable"])
  })

  it("remembers since when a warning holds, and forgets one that went away", () => {
    const ledger = makeWarningLedger()
    const raised = [{ code: "database-away", subject: null, detail: "" } as const]
    ledger.take(raised, DateTime.makeUnsafe(1000))
    assert.strictEqual(DateTime.toEpochMillis(ledger.take(raised, DateTime.makeUnsafe(2000))[0]!.since), 1000)
    ledger.take([], DateTime.makeUnsafe(3000))
    assert.strictEqual(DateTime.toEpochMillis(ledger.take(raised, DateTime.makeUnsafe(4000))[0]!.since), 4000)
  })
})
