/** One data set of NetFlow v9 or IPFIX → rows of the batch, by the template's plan. */
import { needsUptime } from "./can-generate.ts"
import { isDenied, removeDenied, saysDenied } from "./denied.ts"
import { interpret, locate, type Positions } from "./interpret.ts"
import { complain, type Reading, roomOf } from "./Reading.ts"
import { type Runner, run } from "./Runner.ts"
import type { RecordTrace } from "./record.ts"
import { applyAnnouncedRates } from "./sampling.ts"
import { runnerFor, type Template } from "./TemplateCache.ts"

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
  const { batch, outcome, view } = reading
  const most = Math.floor((end - at) / plan.minimum)
  const runner = usable(template, reading, most)
  const mayDeny = saysDenied(plan)
  const oneByOne = trace !== undefined || (mayDeny && plan.variable)
  let records = 0
  while (at >= 0 && records < most && end - at >= plan.minimum) {
    const room = roomOf(batch, reading.full)
    const from = batch.length
    const start = at
    const count = oneByOne ? 1 : Math.min(most - records, room)
    at = runner === undefined ? interpret(plan, reading, positions, at, end, count) : run(runner, reading, at, end, count)
    records += batch.length - from
    if (reading.sampling !== undefined) applyAnnouncedRates(reading.sampling, plan.samplerId >= 0, batch, from)
    if (plan.runningTotals !== 0)
      reading.totals.apply(batch, from, plan.runningTotals, outcome.observationDomain, reading.arrivalMs)
    if (at < 0) complain(outcome, "record-truncated")
    if (oneByOne && batch.length > from) {
      locate(plan, view, start, end, positions)
      trace?.templateRecord(template, reading, positions, from)
      if (mayDeny && isDenied(plan, view, positions)) {
        batch.length = from
        outcome.denied++
      }
    } else if (mayDeny) outcome.denied += removeDenied(plan, view, start, batch, from)
  }
  const unknown = template.unknown
  for (let i = 0; i < unknown.length; i++) unknown[i]!.records += records
  return records
}

/** Generated code reckons with the exporter's uptime; where that is not known, such times are 0, which `interpret` sees to. */
const usable = (template: Template, reading: Reading, records: number): Runner | undefined => {
  const { shared } = reading
  if (shared === undefined || reading.batch.shared !== shared) return undefined
  const runner = runnerFor(template, records, shared)
  return runner !== undefined && (reading.hasUptime || !needsUptime(template.plan)) ? runner : undefined
}
