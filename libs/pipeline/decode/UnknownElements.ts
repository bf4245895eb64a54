/** Which elements arrive that the decoder has no name for, by enterprise number and element id: counted, never dropped silently. */
import { elementName } from "./elements.ts"
import { REVERSE_PEN } from "./plan.ts"

/** Distinct (enterprise, element) pairs kept; the rest is counted together. The pair space has 2^47 members, vendors use a few hundred. */
const MAX_PAIRS = 4096

export interface ElementCounter {
  readonly enterprise: number
  readonly element: number
  records: number
}

export interface UnknownElements {
  /** Counters of the unknown ones among `fields`, to be raised by whoever decodes records with them. */
  readonly counters: (
    fields: ReadonlyArray<readonly [enterprise: number, element: number, length: number]>
  ) => ReadonlyArray<ElementCounter>
  /** Most seen first. Pairs past the bound are counted under enterprise -1, element -1. */
  readonly report: () => ReadonlyArray<Readonly<ElementCounter>>
}

const isKnown = (enterprise: number, element: number): boolean =>
  enterprise < 0 || ((enterprise === 0 || enterprise === REVERSE_PEN) && elementName(element) !== undefined)

export const makeUnknownElements = (): UnknownElements => {
  const pairs = new Map<number, ElementCounter>()
  const other: ElementCounter = { enterprise: -1, element: -1, records: 0 }
  return {
    counters: (fields) => {
      const found = new Set<ElementCounter>()
      for (const [enterprise, element, length] of fields) {
        if (length === 0 || isKnown(enterprise, element)) continue
        const key = enterprise * 65536 + element
        let counter = pairs.get(key)
        if (counter === undefined) {
          if (pairs.size >= MAX_PAIRS) counter = other
          else pairs.set(key, (counter = { enterprise, element, records: 0 }))
        }
        found.add(counter)
      }
      return [...found]
    },
    report: () => [...pairs.values(), other].filter((counter) => counter.records > 0).sort((a, b) => b.records - a.records)
  }
}
