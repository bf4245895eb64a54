/** Which elements arrive that the decoder has no name for, by enterprise number and element id: counted, never dropped silently. */
import { elementName } from "./elements.ts"
import { REVERSE_PEN } from "./plan.ts"

/** Distinct (enterprise, element) pairs kept of one exporter; the rest is counted together. Vendors use a few dozen. */
const MAX_PAIRS = 512
/** Exporters that are told apart; addresses are easily invented. */
const MAX_EXPORTERS = 4096

export interface ElementCounter {
  readonly enterprise: number
  readonly element: number
  records: number
}

export interface UnknownElements {
  /** Counters of the unknown ones among `fields`, to be raised by whoever decodes records with them. */
  readonly counters: (
    exporter: string,
    version: number,
    fields: ReadonlyArray<readonly [enterprise: number, element: number, length: number]>
  ) => ReadonlyArray<ElementCounter>
  /** Over all exporters, most seen first. Pairs past the bound are counted under enterprise -1, element -1. */
  readonly report: () => ReadonlyArray<Readonly<ElementCounter>>
  readonly ofExporter: (exporter: string, version: number) => ReadonlyArray<Readonly<ElementCounter>>
}

const isKnown = (enterprise: number, element: number): boolean =>
  enterprise < 0 || ((enterprise === 0 || enterprise === REVERSE_PEN) && elementName(element) !== undefined)

const keyOf = (enterprise: number, element: number): number => enterprise * 65536 + element

const mostSeenFirst = (counters: Iterable<ElementCounter>): ReadonlyArray<ElementCounter> =>
  [...counters].filter((counter) => counter.records > 0).sort((a, b) => b.records - a.records)

export const makeUnknownElements = (): UnknownElements => {
  const exporters = new Map<string, Map<number, ElementCounter>>()
  const strangers = new Map<number, ElementCounter>()
  const pairsOf = (exporter: string, version: number): Map<number, ElementCounter> => {
    const name = `${version} ${exporter}`
    let pairs = exporters.get(name)
    if (pairs === undefined) {
      if (exporters.size >= MAX_EXPORTERS) return strangers
      exporters.set(name, (pairs = new Map()))
    }
    return pairs
  }
  const counterOf = (pairs: Map<number, ElementCounter>, enterprise: number, element: number): ElementCounter => {
    const key = keyOf(enterprise, element)
    let counter = pairs.get(key)
    if (counter === undefined) {
      if (pairs.size >= MAX_PAIRS && enterprise >= 0) return counterOf(pairs, -1, -1)
      pairs.set(key, (counter = { enterprise, element, records: 0 }))
    }
    return counter
  }
  return {
    counters: (exporter, version, fields) => {
      const unknown = fields.filter(([enterprise, element, length]) => length > 0 && !isKnown(enterprise, element))
      if (unknown.length === 0) return []
      const pairs = pairsOf(exporter, version)
      return [...new Set(unknown.map(([enterprise, element]) => counterOf(pairs, enterprise, element)))]
    },
    report: () => {
      const all = new Map<number, ElementCounter>()
      for (const pairs of [...exporters.values(), strangers]) {
        for (const [key, counter] of pairs) {
          const sum = all.get(key)
          if (sum === undefined) all.set(key, { ...counter })
          else sum.records += counter.records
        }
      }
      return mostSeenFirst(all.values())
    },
    ofExporter: (exporter, version) => mostSeenFirst(exporters.get(`${version} ${exporter}`)?.values() ?? [])
  }
}
