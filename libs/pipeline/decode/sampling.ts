/**
 * Sampling rates as exporters announce them in options data: for the whole domain, by sampler or selector, or by interface.
 *
 * Of a record counts, first to last: the rate in the record itself; that of the sampler or selector it names (IE 48, 302); that of the
 * interface it was taken on (the one it came in by, or went out by if it says so in IE 61; the other one where only that has a rate); that
 * of the whole exporter; and, for records that name no sampler, the last one announced for anything. 0 where nothing was said, which leaves it to the operator's override. A rate
 * counts from the datagram on in which it is announced: what came before stays as it was, for nobody knows whether it held then.
 */
import type { FlowBatch } from "./FlowBatch.ts"

/** Samplers and interfaces kept per exporter and domain; real exporters announce a handful, an attacker must not fill memory. */
const MAX_ENTRIES = 4096

/** IE 61. */
const EGRESS = 1

export interface Sampling {
  /** Last rate announced, whatever it was announced for; 0 nothing yet. */
  rate: number
  /** Last rate announced for no sampler and no interface in particular; 0 none. */
  general: number
  readonly bySampler: Map<number, number>
  readonly byInterface: Map<number, number>
  /** Samplers said to work on an interface, for exporters that tell the sampler's rate elsewhere. */
  readonly samplerOf: Map<number, number>
}

export const makeSampling = (): Sampling => ({
  rate: 0,
  general: 0,
  bySampler: new Map(),
  byInterface: new Map(),
  samplerOf: new Map()
})

/** 1 of how many: whole, at least 1, at most what the column holds; 0 when `value` says nothing. */
export const wholeRate = (value: number): number => {
  if (!(value > 0)) return 0
  const whole = Math.round(value)
  return Math.min(Math.max(whole, 1), 4294967295)
}

/**
 * Takes what one options record says: a rate (0 none) for a sampler (-1 none), an interface (0 none), both or neither; or, without a rate,
 * which sampler works on an interface. True when this is news.
 */
export const announce = (sampling: Sampling, rate: number, sampler: number, interfaceIndex: number): boolean => {
  const { byInterface, bySampler, samplerOf } = sampling
  if (rate === 0) {
    if (sampler < 0 || interfaceIndex <= 0) return false
    put(samplerOf, interfaceIndex, sampler)
    const known = bySampler.get(sampler)
    return known !== undefined && put(byInterface, interfaceIndex, known)
  }
  sampling.rate = rate
  if (sampler >= 0) {
    let news = put(bySampler, sampler, rate)
    if (interfaceIndex > 0 && put(byInterface, interfaceIndex, rate)) news = true
    for (const [index, its] of samplerOf) if (its === sampler && put(byInterface, index, rate)) news = true
    return news
  }
  if (interfaceIndex > 0) return put(byInterface, interfaceIndex, rate)
  const news = sampling.general !== rate
  sampling.general = rate
  return news
}

const put = (rates: Map<number, number>, key: number, rate: number): boolean => {
  const known = rates.get(key)
  if (known === rate || (known === undefined && rates.size >= MAX_ENTRIES)) return false
  rates.set(key, rate)
  return true
}

/** Rate of records that name no sampler. 0 where it depends on the interface: `applyAnnouncedRates` then fills it in. */
export const defaultRate = (sampling: Sampling): number => (sampling.byInterface.size > 0 ? 0 : fallbackRate(sampling, false))

const fallbackRate = (sampling: Sampling, namesSampler: boolean): number =>
  sampling.general !== 0 || namesSampler ? sampling.general : sampling.rate

/** Rate of a record that names its sampler; what was announced for no sampler in particular when that one is unknown. */
export const rateOfSampler = (sampling: Sampling | undefined, sampler: number): number =>
  sampling === undefined ? 0 : (sampling.bySampler.get(sampler) ?? (sampling.byInterface.size > 0 ? 0 : sampling.general))

/** Fills in the rates of rows from `from` on that depend on the interface (v9 scope 2, IE 10 or 14 as scope). */
export const applyAnnouncedRates = (sampling: Sampling, namesSampler: boolean, batch: FlowBatch, from: number): void => {
  const { byInterface } = sampling
  if (byInterface.size === 0) return
  const fallback = fallbackRate(sampling, namesSampler)
  const { direction, inputInterface, outputInterface, sampling: column } = batch
  for (let row = from; row < batch.length; row++) {
    if (column[row] !== 0) continue
    const egress = direction[row] === EGRESS
    const own = byInterface.get(egress ? outputInterface[row]! : inputInterface[row]!)
    const rate = own ?? byInterface.get(egress ? inputInterface[row]! : outputInterface[row]!)
    column[row] = rate ?? fallback
  }
}
