/** One data set of NetFlow v9 or IPFIX → rows of the batch, by the template's plan. */
import { needsUptime, type Runner, run } from "./generate.ts"
import { interpret, locate, type Positions } from "./interpret.ts"
import { complain, type Reading, roomOf } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"
import { applyInterfaceRates } from "./sampling.ts"
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
  const most = Math.floor((end - at) / plan.minimum)
  const runner = usable(template, reading, most)
  let records = 0
  while (at >= 0 && records < most && end - at >= plan.minimum) {
    const room = roomOf(reading.batch, reading.full)
    const from = reading.batch.length
    const start = at
    const count = trace === undefined ? Math.min(most - records, room) : 1
    at = runner === undefined ? interpret(plan, reading, positions, at, end, count) : run(runner, reading, at, end, count)
    records += reading.batch.length - from
    adjustRates(template, reading, from)
    if (at < 0) complain(reading.outcome, "record-truncated")
    else if (trace !== undefined) {
      locate(plan, reading.view, start, end, positions)
      trace.templateRecord(template, reading, positions, from)
    }
  }
  const unknown = template.unknown
  for (let i = 0; i < unknown.length; i++) unknown[i]!.records += records
  return records
}

/** Generated code reckons with the exporter's uptime; where that is not known, such times are 0, which `interpret` sees to. */
const usable = (template: Template, reading: Reading, records: number): Runner | undefined => {
  const runner = runnerFor(template, records)
  return runner !== undefined && (reading.hasUptime || !needsUptime(template.plan)) ? runner : undefined
}

const adjustRates = (template: Template, reading: Reading, from: number): void => {
  const { batch, sampling } = reading
  if (sampling === undefined || sampling.byInterface.size === 0) return
  if (template.plan.samplerId >= 0 || template.plan.rateA >= 0) return
  applyInterfaceRates(sampling, batch.sampling, batch.inputInterface, from, batch.length)
}
