/** One data set of NetFlow v9 or IPFIX → rows of the batch, by the template's plan. */

import { runGenerated } from "./generate.ts"
import { interpret, locate, type Positions } from "./interpret.ts"
import { complain, type Reading, roomOf } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"
import { applyInterfaceRates } from "./sampling.ts"
import { runnerFor, type Template } from "./TemplateCache.ts"

/** Records of a set are at most this many; a template of one octet in a full datagram. */
const MANY = 65536

/** Decodes the records between `at` and `end`. Returns how many; octets at the end that cannot be a record are padding. */
export const readDataSet = (
  template: Template,
  reading: Reading,
  positions: Positions,
  at: number,
  end: number,
  trace: RecordTrace | undefined
): number => {
  const { plan } = template
  let records: number
  if (trace !== undefined) {
    records = traceDataSet(template, reading, positions, at, end, trace)
  } else if (plan.variable) {
    records = readVariable(template, reading, positions, at, end)
  } else {
    records = Math.floor((end - at) / plan.minimum)
    const runner = runnerFor(template, records)
    let left = records
    while (left > 0) {
      const room = roomOf(reading.batch, reading.full)
      const count = Math.min(left, room)
      const from = reading.batch.length
      if (runner === undefined) interpret(plan, reading, positions, at, end, count)
      else runGenerated(runner, reading, at, count)
      adjustRates(template, reading, from)
      at += count * plan.minimum
      left -= count
    }
  }
  const unknown = template.unknown
  for (let i = 0; i < unknown.length; i++) unknown[i]!.records += records
  return records
}

const readVariable = (template: Template, reading: Reading, positions: Positions, at: number, end: number): number => {
  const { plan } = template
  let records = 0
  while (end - at >= plan.minimum) {
    const room = roomOf(reading.batch, reading.full)
    const from = reading.batch.length
    at = interpret(plan, reading, positions, at, end, room)
    records += reading.batch.length - from
    adjustRates(template, reading, from)
    if (at < 0) {
      complain(reading.outcome, "record-truncated")
      break
    }
  }
  template.records += records
  return records
}

const adjustRates = (template: Template, reading: Reading, from: number): void => {
  const { batch, sampling } = reading
  if (sampling === undefined || sampling.byInterface.size === 0) return
  if (template.plan.samplerId >= 0 || template.plan.rateA >= 0) return
  applyInterfaceRates(sampling, batch.sampling, batch.inputInterface, from, batch.length)
}

/** One record at a time, each shown to `trace` with where its fields are: for people. */
const traceDataSet = (
  template: Template,
  reading: Reading,
  positions: Positions,
  at: number,
  end: number,
  trace: RecordTrace
): number => {
  const { plan } = template
  let records = 0
  while (records < MANY && end - at >= plan.minimum) {
    roomOf(reading.batch, reading.full)
    const from = reading.batch.length
    const next = locate(plan, reading.view, at, end, positions)
    if (next < 0) {
      complain(reading.outcome, "record-truncated")
      break
    }
    const runner = runnerFor(template, 1)
    if (runner === undefined) interpret(plan, reading, positions, at, next, 1)
    else runGenerated(runner, reading, at, 1)
    adjustRates(template, reading, from)
    locate(plan, reading.view, at, end, positions)
    trace.templateRecord(template, reading, positions, from)
    records++
    at = next
  }
  return records
}
