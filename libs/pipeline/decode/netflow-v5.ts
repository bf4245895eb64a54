/**
 * NetFlow v5: a fixed layout, so it is one more template. The record is 48 octets; a header that counts more of them than the datagram
 * holds is refused whole, octets after the last counted record are not looked at.
 */
import type { LearnedTemplate } from "#domain/LearnedTemplate.ts"
import { VERSION_NETFLOW5 } from "./DecodeOutcome.ts"
import { readDataSet } from "./data-set.ts"
import type { Positions } from "./interpret.ts"
import { compilePlan } from "./plan.ts"
import { complain, type Reading } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"
import type { Template } from "./TemplateCache.ts"

const HEADER = 24
const RECORD = 48

/** Elements of IPFIX that mean what the v5 fields mean; 210 is padding. */
const FIELDS: LearnedTemplate["fields"] = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 15, 4],
  [0, 10, 2],
  [0, 14, 2],
  [0, 2, 4],
  [0, 1, 4],
  [0, 22, 4],
  [0, 21, 4],
  [0, 7, 2],
  [0, 11, 2],
  [0, 210, 1],
  [0, 6, 1],
  [0, 4, 1],
  [0, 5, 1],
  [0, 16, 2],
  [0, 17, 2],
  [0, 9, 1],
  [0, 13, 1],
  [0, 210, 2]
]

export const makeTemplate5 = (): Template => ({
  learned: { exporter: "", version: VERSION_NETFLOW5, domain: 0, id: 0, kind: "data", scopeFieldCount: 0, fields: FIELDS },
  plan: compilePlan(FIELDS),
  raw: undefined,
  runner: undefined,
  records: 0,
  unknown: [],
  seenMs: 0,
  used: 0
})

export const readNetflow5 = (reading: Reading, template: Template, positions: Positions, trace: RecordTrace | undefined): void => {
  const { outcome, view } = reading
  outcome.version = VERSION_NETFLOW5
  const { start } = reading
  if (reading.end - start < HEADER) {
    complain(outcome, "short-header")
    return
  }
  const count = view.getUint16(start + 2)
  const uptime = view.getUint32(start + 4)
  reading.exportMs = view.getUint32(start + 8) * 1000 + Math.floor(view.getUint32(start + 12) / 1_000_000)
  reading.uptime = uptime
  reading.hasUptime = true
  reading.sampling = undefined
  // The upper two bits are the mode; 0 says nothing about sampling.
  reading.rate = view.getUint16(start + 22) & 0x3fff
  outcome.exportMs = reading.exportMs
  outcome.uptimeMs = uptime
  outcome.sequence = view.getUint32(start + 16)
  outcome.observationDomain = view.getUint16(start + 20)
  if (count * RECORD > reading.end - start - HEADER) {
    complain(outcome, "record-count")
    return
  }
  outcome.sequenceStep = count
  outcome.records += readDataSet(template, reading, positions, start + HEADER, start + HEADER + count * RECORD, trace)
}
