/**
 * Sequence numbers as they came, for a judge of all workers (SequenceJudge.ts): an exporter that changes its source port is heard by several
 * of them in turn, and each alone would see gaps where the others listened.
 */
import type { SliceExporter } from "#domain/Window.ts"
import type { DecodeOutcome } from "../decode/DecodeOutcome.ts"
import type { Exporter } from "./exporter-reading.ts"
import { otherStepOf } from "./observation-domains.ts"

/** Crosses the thread boundary; a row a datagram. */
export interface SequenceNotes {
  /** Everything that arrived before, ms since 1970, is in these notes or in earlier ones. */
  readonly until: number
  readonly rows: number
  readonly exporters: ReadonlyArray<SliceExporter>
  /** Exporter, domain, number, its own step, step in the other unit, uptime, arrival; COLUMNS a row. */
  readonly values: Float64Array
  /** Exporters of whom datagrams were turned away by us since the last notes. */
  readonly turnedAway: ReadonlyArray<SliceExporter>
}

export const COLUMNS = 7
const INITIAL = 256 * COLUMNS

export interface SequenceLog {
  readonly note: (exporter: Exporter, outcome: DecodeOutcome, arrivalMs: number) => void
  readonly take: (exporters: ReadonlyArray<Exporter>, nowMs: number) => SequenceNotes
}

export const makeSequenceLog = (): SequenceLog => {
  let values = new Float64Array(INITIAL)
  let used = 0
  let numbers = new Map<Exporter, number>()
  const turnedAwayBefore = new WeakMap<Exporter, number>()
  const named = ({ address, protocol }: Exporter): SliceExporter => ({ address, protocol })
  return {
    note: (exporter, outcome, arrivalMs) => {
      if (used === values.length) {
        const wider = new Float64Array(used * 2)
        wider.set(values)
        values = wider
      }
      let number = numbers.get(exporter)
      if (number === undefined) numbers.set(exporter, (number = numbers.size))
      values[used] = number
      values[used + 1] = outcome.observationDomain
      values[used + 2] = outcome.sequence
      values[used + 3] = outcome.sequenceStep
      values[used + 4] = otherStepOf(exporter.protocol, outcome)
      values[used + 5] = outcome.uptimeMs
      values[used + 6] = arrivalMs
      used += COLUMNS
    },
    take: (exporters, nowMs) => {
      const turnedAway = exporters.filter((one) => one.overLimit !== (turnedAwayBefore.get(one) ?? 0))
      for (const one of turnedAway) turnedAwayBefore.set(one, one.overLimit)
      const notes = {
        until: nowMs,
        rows: used / COLUMNS,
        exporters: [...numbers.keys()].map(named),
        values: values.slice(0, used),
        turnedAway: turnedAway.map(named)
      }
      if (values.length > INITIAL && used * 8 < values.length) values = new Float64Array(INITIAL)
      used = 0
      numbers = new Map()
      return notes
    }
  }
}
