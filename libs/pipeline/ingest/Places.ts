/**
 * Who may have one of the table's places when they run out. An address is easily invented, and a forged datagram may be well formed, so
 * a sender that nobody decided on has to send twice before somebody gives up a place for it, and the last places are for those that people
 * decided on. Whoever people decided on never gives up its place.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { Exporter } from "./exporter-reading.ts"

/** Of the places, those that only exporters get that people decided on. */
const RESERVED_SHARE = 1 / 8
/** Senders whose first datagram is remembered: under 10,000 forged ones a second one that sends each second is let in at its second or third. */
const KNOCKS = 65_536
/** Heard for no longer than this: not a device, or not any more. */
const BRIEF_MS = 60_000
const SILENT_LONG_MS = 24 * 3600_000
/** Records may be held back for 20 s before they are folded (window/repeats.ts). */
const HELD_BACK_MS = 25_000
/** How often the table is searched while strangers knock. */
const SEARCH_EVERY_MS = 1000

/** Of an exporter: what decides whether it must leave. */
export type Occupant = Pick<Exporter, "index" | "proven" | "decided" | "forgotten" | "madeMs" | "heardMs">

export interface Places<A extends Occupant> {
  /** How many the table may hold before one more of these needs another's place. */
  readonly room: (decided: boolean) => number
  /** False for a stranger's first datagram: it is to be refused. */
  readonly knocks: (address: string, protocol: ExporterProtocol) => boolean
  /** It sent nothing so far that could be decoded. */
  readonly unproven: (one: A) => void
  /** It did, or people decided on it. */
  readonly stays: (one: A) => void
  /** Who gives up its place: what never sent anything decodable, then what was heard for a moment, then what is silent for a day. */
  readonly leaver: (all: ReadonlyArray<A>, steadyMs: number) => A | undefined
  /** Open windows hold nothing of what was folded so far. */
  readonly windowsEmptied: (steadyMs: number) => void
}

/** `seed` keeps senders from choosing addresses that are taken for one another. */
export const makePlaces = <A extends Occupant>(limit: number, seed: number): Places<A> => {
  const knocked = new Int32Array(KNOCKS)
  /** In order of their first datagram; the first is the first to go. */
  const unproven = new Set<A>()
  let leavers: Array<A> = []
  let searchedMs = Number.NEGATIVE_INFINITY
  let emptiedMs = Number.NEGATIVE_INFINITY

  /** 0 the first to leave; -1 stays. Rows of open windows have no more than an index of whom they are from. */
  const rankOf = (one: A, now: number): number => {
    if (one.heardMs + HELD_BACK_MS >= emptiedMs) return -1
    if (one.forgotten) return 0
    if (one.decided) return -1
    if (one.heardMs - one.madeMs < BRIEF_MS) return 1
    return now - one.heardMs > SILENT_LONG_MS ? 2 : -1
  }

  return {
    room: (decided) => (decided ? limit : limit - Math.floor(limit * RESERVED_SHARE)),
    knocks: (address, protocol) => {
      let hash = seed ^ protocol.charCodeAt(0) ^ (protocol.charCodeAt(protocol.length - 1) << 8)
      for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 0x0100_0193)
      hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b) | 1
      const at = (hash >>> 8) & (KNOCKS - 1)
      const known = knocked[at] === hash
      knocked[at] = known ? 0 : hash
      return known
    },
    unproven: (one) => unproven.add(one),
    stays: (one) => unproven.delete(one),
    leaver: (all, now) => {
      const [first] = unproven
      if (first !== undefined) {
        unproven.delete(first)
        return first
      }
      if (leavers.length === 0 && now - searchedMs >= SEARCH_EVERY_MS) {
        searchedMs = now
        leavers = all
          .filter((one) => rankOf(one, now) >= 0)
          .sort((a, b) => rankOf(b, now) - rankOf(a, now) || b.heardMs - a.heardMs)
      }
      for (let last = leavers.pop(); last !== undefined; last = leavers.pop()) {
        // it may have been heard since, or have left
        if (all[last.index] === last && rankOf(last, now) >= 0) return last
      }
      return undefined
    },
    windowsEmptied: (steadyMs) => {
      emptiedMs = steadyMs
    }
  }
}
