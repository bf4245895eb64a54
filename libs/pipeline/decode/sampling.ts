/** Sampling rates as exporters announce them in options data: for the whole domain, by sampler or selector, or by interface. */

/** Samplers and interfaces kept per exporter and domain; real exporters announce a handful, an attacker must not fill memory. */
const MAX_ENTRIES = 4096

export interface Sampling {
  /** Last rate announced, whatever it was announced for; 0 nothing yet. */
  rate: number
  /** Last rate announced for no sampler and no interface in particular; 0 none. */
  general: number
  readonly bySampler: Map<number, number>
  readonly byInterface: Map<number, number>
}

export const makeSampling = (): Sampling => ({ rate: 0, general: 0, bySampler: new Map(), byInterface: new Map() })

/** 1 of how many: whole, at least 1, at most what the column holds; 0 when `value` says nothing. */
export const wholeRate = (value: number): number => {
  if (!(value > 0)) return 0
  const whole = Math.round(value)
  return Math.min(Math.max(whole, 1), 4294967295)
}

/** True when this is news. */
export const announce = (sampling: Sampling, rate: number, sampler: number, interfaceIndex: number): boolean => {
  sampling.rate = rate
  if (sampler >= 0) return put(sampling.bySampler, sampler, rate)
  if (interfaceIndex > 0) return put(sampling.byInterface, interfaceIndex, rate)
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

/** Rate of records that name no sampler. */
export const defaultRate = (sampling: Sampling): number => (sampling.general !== 0 ? sampling.general : sampling.rate)

/** Rate of a record that names its sampler; what was announced for no sampler in particular when that one is unknown. */
export const rateOfSampler = (sampling: Sampling | undefined, sampler: number): number =>
  sampling === undefined ? 0 : (sampling.bySampler.get(sampler) ?? sampling.general)

/** Fills `column` from `from` to `to` where the rate was announced by interface (v9 scope 2, IE 10 as scope). */
export const applyInterfaceRates = (
  sampling: Sampling,
  column: Uint32Array,
  inputInterface: Uint32Array,
  from: number,
  to: number
): void => {
  for (let row = from; row < to; row++) {
    const rate = sampling.byInterface.get(inputInterface[row]!)
    if (rate !== undefined) column[row] = rate
  }
}
