import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { Address } from "#domain/Address.ts"
import { Exporter, nothingHeard } from "#domain/Exporter.ts"
import { type Approval, ExporterPolicy, undecided } from "#domain/ExporterPolicy.ts"
import { ExporterId } from "#domain/ids.ts"
import { deriveWarnings } from "../health/derive-warnings.ts"
import { makeWarningLedger } from "../health/WarningLedger.ts"
import { well } from "../health/well.fixture.ts"
import { silenceAlarms, silentSince } from "./silence.ts"

const HOUR = 3600_000
const noon = Date.UTC(2023, 10, 14, 12)

const exporter = (change: Partial<ConstructorParameters<typeof Exporter>[0]> = {}) =>
  new Exporter({
    ...nothingHeard,
    id: ExporterId.make("1"),
    address: Address.make("192.0.2.1"),
    protocol: "ipfix",
    state: "heard",
    firstSeen: DateTime.makeUnsafe(noon - 48 * HOUR),
    lastSeen: DateTime.makeUnsafe(noon - 60_000),
    ...change
  })
const policy = (approval: Approval, change: Partial<ExporterPolicy> = {}) =>
  new ExporterPolicy({ ...undecided, ...change, approval })
const at = (now: number, of: Exporter, heardAt?: number, startedAt = noon - HOUR) =>
  silentSince({ exporter: of, heardAt, now, startedAt, defaultSeconds: 300 })

describe("silence of an exporter", () => {
  it("begins with its last datagram, past its own limit or everybody's", () => {
    assert.strictEqual(at(noon + 299_000, exporter(), noon), null)
    assert.strictEqual(at(noon + 301_000, exporter(), noon), noon)
    const strict = exporter({ policy: policy("approved", { silenceSeconds: 10 }) })
    assert.strictEqual(at(noon + 11_000, strict, noon), noon)
  })

  it("is not one per restart: a run that begins gives everybody the limit again, and keeps what was silent before", () => {
    const heard = exporter({ lastSeen: DateTime.makeUnsafe(noon - 2 * HOUR) })
    assert.strictEqual(at(noon + 10_000, heard, undefined, noon), null)
    assert.strictEqual(at(noon + 301_000, heard, undefined, noon), noon - 2 * HOUR)
    const silent = exporter({ ...heard, silentSince: DateTime.makeUnsafe(noon - 2 * HOUR) })
    assert.strictEqual(at(noon + 1000, silent, undefined, noon), noon - 2 * HOUR)
  })

  it("ends when it is heard, and is nobody's who is blocked or only expected", () => {
    const silent = exporter({ silentSince: DateTime.makeUnsafe(noon - 2 * HOUR) })
    assert.strictEqual(at(noon + 1000, silent, noon + 500), null)
    assert.strictEqual(at(noon + HOUR, exporter({ policy: policy("blocked") }), noon), null)
    assert.strictEqual(at(noon + HOUR, exporter({ state: "expected" })), null)
  })

  it("is an alarm of who is approved or long known, unless that is switched off", () => {
    const young = { firstSeen: DateTime.makeUnsafe(noon - 70_000) }
    assert.isTrue(silenceAlarms(exporter()))
    assert.isFalse(silenceAlarms(exporter(young)))
    assert.isTrue(silenceAlarms(exporter({ ...young, policy: policy("approved") })))
    assert.isFalse(silenceAlarms(exporter({ policy: policy("approved", { silentAlarm: false }) })))
    assert.isFalse(silenceAlarms(exporter({ policy: policy("blocked") })))
  })

  it("is one health warning since its beginning, gone when it is heard", () => {
    const silent = exporter({ state: "silent", silentSince: DateTime.makeUnsafe(noon - HOUR), silenceAlarms: true })
    const told = (of: Exporter) =>
      makeWarningLedger()
        .take(deriveWarnings({ ...well, exporters: [of] }), DateTime.makeUnsafe(noon))
        .map(({ code, since, subject }) => [code, subject, DateTime.toEpochMillis(since)])
    assert.deepStrictEqual(told(silent), [["exporter-silent", "192.0.2.1 IPFIX", noon - HOUR]])
    assert.deepStrictEqual(told(exporter({ silenceAlarms: true })), [])
    assert.deepStrictEqual(told(exporter({ ...silent, silenceAlarms: false })), [])
  })
})
