/**
 * Data sets that arrived before their template, with what is needed to decode them later as if nothing had happened. Bounded by octets
 * per exporter and in total and by number; what does not fit is refused and counted by the caller, so memory stays flat under a flood.
 */

export interface HeldSet {
  readonly exporterAddress: string
  readonly exporterIndex: number
  readonly version: number
  readonly domain: number
  readonly templateId: number
  readonly exportMs: number
  readonly uptime: number
  readonly arrivalMs: number
  /** The set without its header. */
  readonly bytes: Uint8Array
}

export interface HeldSets {
  readonly sets: number
  readonly bytes: number
  readonly byExporter: (exporterAddress: string) => { readonly sets: number; readonly bytes: number }
  /** False when a bound refuses it. */
  readonly offer: (set: HeldSet) => boolean
  /** Takes out everything that waits for this template, oldest first. */
  readonly take: (exporterAddress: string, version: number, domain: number, templateId: number) => ReadonlyArray<HeldSet>
  readonly expire: (nowMs: number, maxAgeMs: number) => number
  /** Gives up everything of one exporter. Returns how many sets. */
  readonly forget: (exporterAddress: string) => number
}

export interface HeldBounds {
  readonly bytesPerExporter: number
  readonly bytes: number
  readonly sets: number
}

/** What a held set costs beside its octets; without it, a flood of empty sets would be free. */
const OVERHEAD = 128

export const makeHeldSets = (bounds: HeldBounds): HeldSets => {
  const waiting = new Map<string, Array<HeldSet>>()
  const accounts = new Map<string, { sets: number; bytes: number; readonly keys: Set<string> }>()
  let sets = 0
  let bytes = 0

  const keyOf = (exporter: string, version: number, domain: number, id: number) => `${exporter}|${version}|${domain}|${id}`
  const costOf = (set: HeldSet) => set.bytes.length + OVERHEAD

  const release = (set: HeldSet): void => {
    sets--
    bytes -= costOf(set)
    const account = accounts.get(set.exporterAddress)!
    account.sets--
    account.bytes -= costOf(set)
    if (account.sets === 0) accounts.delete(set.exporterAddress)
  }

  return {
    get sets() {
      return sets
    },
    get bytes() {
      return bytes
    },
    byExporter: (exporterAddress) => accounts.get(exporterAddress) ?? { sets: 0, bytes: 0 },
    offer: (set) => {
      const cost = costOf(set)
      const account = accounts.get(set.exporterAddress) ?? { sets: 0, bytes: 0, keys: new Set<string>() }
      if (sets >= bounds.sets || bytes + cost > bounds.bytes || account.bytes + cost > bounds.bytesPerExporter) return false
      const key = keyOf(set.exporterAddress, set.version, set.domain, set.templateId)
      const list = waiting.get(key)
      if (list === undefined) waiting.set(key, [set])
      else list.push(set)
      account.keys.add(key)
      account.sets++
      account.bytes += cost
      accounts.set(set.exporterAddress, account)
      sets++
      bytes += cost
      return true
    },
    take: (exporterAddress, version, domain, templateId) => {
      if (sets === 0) return []
      const key = keyOf(exporterAddress, version, domain, templateId)
      const list = waiting.get(key)
      if (list === undefined) return []
      waiting.delete(key)
      accounts.get(exporterAddress)?.keys.delete(key)
      for (const set of list) release(set)
      return list
    },
    forget: (exporterAddress) => {
      let gone = 0
      for (const key of accounts.get(exporterAddress)?.keys ?? []) {
        for (const set of waiting.get(key) ?? []) {
          release(set)
          gone++
        }
        waiting.delete(key)
      }
      return gone
    },
    expire: (nowMs, maxAgeMs) => {
      let gone = 0
      for (const [key, list] of waiting) {
        const kept = list.filter((set) => nowMs - set.arrivalMs <= maxAgeMs)
        if (kept.length === list.length) continue
        for (const set of list) {
          if (nowMs - set.arrivalMs > maxAgeMs) {
            release(set)
            gone++
          }
        }
        if (kept.length === 0) {
          waiting.delete(key)
          accounts.get(list[0]!.exporterAddress)?.keys.delete(key)
        } else waiting.set(key, kept)
      }
      return gone
    }
  }
}
