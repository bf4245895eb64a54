/**
 * The last datagrams of each exporter, in memory only, for whoever wants to see what just came. Their octets are bounded: when there is no
 * room, whoever holds more than its share gives up its oldest, so that a busy exporter pushes out no quiet one. Of a busy one the first few
 * of each second are copied, and a few more of those that people look for: with templates, or refused, or of no use.
 */
import { performance } from "node:perf_hooks"
import { MOST_CAPTURED } from "#domain/capture-limits.ts"
import type { DecodeOutcome } from "#pipeline/decode/DecodeOutcome.ts"
import type { CapturedDatagram } from "./messages.ts"

const MOST_OCTETS = 4 * 1024 ** 2
/** What a copy costs beside its octets. */
const OVERHEAD = 256
/** Copies of a kind and an exporter a second, and of all exporters together while there are many: 2,000 copies take 2 ms. */
const MOST_OF_A_KIND = 20
const MOST_A_SECOND = 2000
/** Senders of what is no protocol of ours. */
const MOST_STRANGERS = 64

export const FLOWS = 0
/** Templates, and what options data says: without them a file of the others cannot be read. */
export const TEMPLATES = 1
/** Malformed, refused, or the end of a decoder. */
export const TROUBLE = 2
type Kind = typeof FLOWS | typeof TEMPLATES | typeof TROUBLE

export const kindOf = (outcome: DecodeOutcome): Kind =>
  outcome.malformed !== "" || outcome.complaints > 0
    ? TROUBLE
    : outcome.templates + outcome.optionsTemplates + outcome.optionsRecords > 0
      ? TEMPLATES
      : FLOWS

interface Holder {
  /** UDP source of its last datagram: the agent of sFlow has another address. */
  from: string
  octets: number
  /** By kind, oldest first, and how many more may be copied in this second. */
  readonly kept: readonly [Array<CapturedDatagram>, Array<CapturedDatagram>, Array<CapturedDatagram>]
  readonly left: [number, number, number]
}

export interface Recent {
  /** Takes a copy, unless there were enough in this second. `exporter`: its index. */
  readonly keep: (exporter: number, kind: Kind, datagram: Uint8Array, from: string, fromPort: number, toPort: number) => void
  /** Of what starts like nothing known. */
  readonly keepStrange: (datagram: Uint8Array, from: string, fromPort: number, toPort: number) => void
  /** The last of an exporter and what could not be told apart from where its own came; a quarter may be older ones of each rare kind. */
  readonly last: (exporter: number, most: number) => ReadonlyArray<CapturedDatagram>
  readonly forget: (exporter: number) => void
  /** Once a second. */
  readonly tick: () => void
}

const costOf = ({ payload }: CapturedDatagram): number => payload.length + OVERHEAD
const inOrder = (datagrams: ReadonlyArray<CapturedDatagram>) => datagrams.toSorted((a, b) => a.at - b.at)

export const makeRecent = (mostOctets = MOST_OCTETS): Recent => {
  const exporters: Array<Holder | undefined> = []
  const strangers = new Map<string, Holder>()
  const holders = new Set<Holder>()
  let around = holders.values()
  let octets = 0
  let allowance = MOST_OF_A_KIND

  const newHolder = (from: string): Holder => {
    const holder: Holder = { from, octets: 0, kept: [[], [], []], left: [allowance, allowance, allowance] }
    holders.add(holder)
    return holder
  }
  const leave = (holder: Holder | undefined): void => {
    if (holder === undefined) return
    holders.delete(holder)
    octets -= holder.octets
  }
  const dropOldest = (holder: Holder, kept: Array<CapturedDatagram>): void => {
    const cost = costOf(kept.shift()!)
    holder.octets -= cost
    octets -= cost
  }

  /** Who holds more than its share, from where the last search ended; anybody who holds something when nobody does. */
  const richest = (share: number): Holder => {
    let found: Holder | undefined
    for (let looked = 0; looked <= holders.size; looked++) {
      let { value } = around.next()
      if (value === undefined) {
        around = holders.values()
        value = around.next().value!
      }
      if (value.octets > share) return value
      if (value.octets > 0) found = value
    }
    return found!
  }

  const makeRoom = (mine: Holder, cost: number): void => {
    const share = mostOctets / holders.size
    while (octets + cost > mostOctets) {
      const holder = mine.octets > 0 && mine.octets + cost > share ? mine : richest(share)
      dropOldest(
        holder,
        holder.kept.reduce((a, b) => (b.length > a.length ? b : a))
      )
    }
  }

  const copy = (holder: Holder, kind: Kind, datagram: Uint8Array, from: string, fromPort: number, toPort: number): void => {
    if (holder.left[kind] === 0) return
    holder.left[kind]--
    const kept = holder.kept[kind]
    if (kept.length >= MOST_CAPTURED) dropOldest(holder, kept)
    makeRoom(holder, datagram.length + OVERHEAD)
    const at = Math.round((performance.timeOrigin + performance.now()) * 1000)
    // the listener reuses its memory
    const one = { at, from, fromPort, toPort, payload: new Uint8Array(datagram) }
    kept.push(one)
    holder.from = from
    const cost = costOf(one)
    holder.octets += cost
    octets += cost
  }

  return {
    keep: (exporter, kind, datagram, from, fromPort, toPort) => {
      let holder = exporters[exporter]
      if (holder === undefined) {
        holder = newHolder(from)
        exporters[exporter] = holder
      }
      copy(holder, kind, datagram, from, fromPort, toPort)
    },
    keepStrange: (datagram, from, fromPort, toPort) => {
      let holder = strangers.get(from)
      if (holder === undefined) {
        const [first] = strangers
        if (first !== undefined && strangers.size >= MOST_STRANGERS) {
          strangers.delete(first[0])
          leave(first[1])
        }
        holder = newHolder(from)
        strangers.set(from, holder)
      }
      copy(holder, TROUBLE, datagram, from, fromPort, toPort)
    },
    last: (exporter, most) => {
      const holder = exporters[exporter]
      if (holder === undefined || most === 0) return []
      const [flows, templates, own] = holder.kept
      const trouble = inOrder([...own, ...(strangers.get(holder.from)?.kept[TROUBLE] ?? [])])
      const few = Math.ceil(most / 4)
      const chosen = new Set([...templates.slice(-few), ...trouble.slice(-few)])
      const others = inOrder([...flows, ...templates, ...trouble].filter((one) => !chosen.has(one)))
      const rest = most - chosen.size
      return inOrder([...chosen, ...(rest > 0 ? others.slice(-rest) : [])]).slice(-most)
    },
    forget: (exporter) => {
      leave(exporters[exporter])
      exporters[exporter] = undefined
    },
    tick: () => {
      allowance = Math.max(1, Math.min(MOST_OF_A_KIND, Math.floor(MOST_A_SECOND / Math.max(1, holders.size))))
      for (const { left } of holders) left.fill(allowance)
    }
  }
}
