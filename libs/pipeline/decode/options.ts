/** Options records: what an exporter says about itself — sampling rates and when it started. */
import { locate, type Positions } from "./interpret.ts"
import type { Plan } from "./plan.ts"
import { complain, type Reading, readUint } from "./Reading.ts"
import { announce, wholeRate } from "./sampling.ts"
import type { Domain, Template } from "./TemplateCache.ts"
import { SCOPE_ENTERPRISE } from "./template.ts"

/** What one options record said; reused. 0 or -1: nothing. */
export interface OptionsFacts {
  rate: number
  sampler: number
  interfaceIndex: number
  systemInitMs: number
}

/** v9 scope types (RFC 3954 §6.1): the interface. */
const SCOPE_INTERFACE = 2

export const makeOptionsFacts = (): OptionsFacts => ({ rate: 0, sampler: -1, interfaceIndex: 0, systemInitMs: 0 })

export const readOptionsRecord = (template: Template, view: DataView, positions: Positions, facts: OptionsFacts): void => {
  facts.rate = 0
  facts.sampler = -1
  facts.interfaceIndex = 0
  facts.systemInitMs = 0
  const { fields, scopeFieldCount } = template.learned
  let taken = 0
  let skipped = 0
  let size = 0
  let population = 0
  let interval = 0
  let random = 0
  let probability = 0
  for (let i = 0; i < fields.length; i++) {
    const [enterprise, element] = fields[i]!
    const length = positions.length[i]!
    if (length === 0 || length > 8) continue
    const value = readUint(view, positions.at[i]!, length)
    if (enterprise === SCOPE_ENTERPRISE) {
      if (element === SCOPE_INTERFACE) facts.interfaceIndex = value
      continue
    }
    if (enterprise !== 0) continue
    switch (element) {
      case 34:
        interval = value
        break
      case 50:
        random = value
        break
      case 48:
      case 302:
        facts.sampler = value
        break
      case 305:
        taken = value
        break
      case 306:
        skipped = value
        break
      case 309:
        size = value
        break
      case 310:
        population = value
        break
      case 311:
        probability = length === 4 ? view.getFloat32(positions.at[i]!) : length === 8 ? view.getFloat64(positions.at[i]!) : 0
        break
      case 10:
      case 14:
        if (i < scopeFieldCount) facts.interfaceIndex = value
        break
      case 160:
        facts.systemInitMs = value
    }
  }
  facts.rate =
    size > 0 && population > 0
      ? wholeRate(population / size)
      : taken > 0
        ? wholeRate((taken + skipped) / taken)
        : wholeRate(random > 0 ? random : interval > 0 ? interval : probability > 0 ? 1 / probability : 0)
}

/** Reads the options records between `at` and `end`. Returns whether they brought news. */
export const readOptions = (
  template: Template,
  domain: Domain,
  reading: Reading,
  positions: Positions,
  facts: OptionsFacts,
  at: number,
  end: number,
  seen: ((template: Template, facts: OptionsFacts) => void) | undefined
): boolean => {
  const plan: Plan = template.plan
  let news = false
  while (end - at >= plan.minimum) {
    at = locate(plan, reading.view, at, end, positions)
    if (at < 0) {
      complain(reading.outcome, "record-truncated")
      break
    }
    readOptionsRecord(template, reading.view, positions, facts)
    if (announce(domain.sampling, facts.rate, facts.sampler, facts.interfaceIndex)) news = true
    if (facts.systemInitMs > 0 && facts.systemInitMs !== domain.systemInitMs) {
      domain.systemInitMs = facts.systemInitMs
      news = true
    }
    reading.outcome.optionsRecords++
    seen?.(template, facts)
  }
  return news
}
