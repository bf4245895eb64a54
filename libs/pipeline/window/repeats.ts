/**
 * Takes out records that say again what their exporter said from another of its interfaces (docs/decisions/013): an exporter that meters
 * packets on a port and on its VLAN, or on the way in and out without saying so (IE 61), exports every flow twice. The key of a window
 * knows no interfaces and folds client ports, so this is decided here, a record at a time, before the fold.
 *
 * Of most exporters one flow in 256, by its ports, is remembered, and nothing is ever recognised. One flow that comes again from another
 * place makes the exporter looked at whole for a while; then equal records of two places are *held* until enough of them agree, so that
 * nothing is counted twice and nothing is lost while it is not known. Once known, the record that comes first counts.
 *
 * A record repeats another of the same exporter, tuple and direction, from other interfaces or another observation domain, at the same
 * time, with the same counts. So never: the same interfaces (sent again, or played again); another time (a path that changed, slices of an
 * active timeout); other counts (links that share a flow's packets); no times (sFlow); one said to be ingress and one egress (echoes.ts).
 */
import { copyRow } from "../decode/copy-row.ts"
import { type FlowBatch, makeFlowBatch } from "../decode/FlowBatch.ts"
import * as At from "./layout.ts"
import { type MeteringPoints, makeMeteringPoints, type PointPair } from "./metering-points.ts"
import { makeRecentFlows } from "./recent-flows.ts"

/**
 * One flow in 256 is remembered, by eight bits of its two ports, which is all that is read of the others. Not by the lowest bit: Linux connects
 * from even ports. Flows between equal ports, or without ports, are seen only in the trial of a new exporter.
 */
const PORT_BITS = 0x1fe
/** Records of an exporter that are looked at when it is new or suspected, and since the last that repeated another. */
const TRIAL_ROWS = 4096
const LOOK_ROWS = 16_384
/** What was suspected and not found is not suspected again for so long. */
const QUIET_MS = 5 * 60_000
/** Held rows of an exporter, and for how long: well within the lateness of a window. */
const HELD_ROWS = 64
const HELD_MS = 20_000
/** Two meters see a packet this much apart at most. */
const NEAR_MS = 100
/** A flow of fewer packets is no evidence: the two packets of a query for two kinds of address are equal, and may take two links. */
const TELLING_PACKETS = 3
/** 1 MiB stays in a cache; 8 MiB hold five seconds of flows at 25,000 a second. */
const FEW = 16_384
const MOST = 131_072

export interface RepeatsOptions {
  /** Keeps senders from choosing flows that collide. */
  readonly seed: number
  /** That row of that batch is left out. */
  readonly repeated: (batch: FlowBatch, row: number) => void
}

export interface Repeats {
  /** Takes what repeats out of rows `from` on of the batch, all of one exporter and observation domain. `nowMs` only moves forward. */
  readonly sift: (exporter: number, domain: number, batch: FlowBatch, from: number, nowMs: number) => void
  /** Appends rows that were held long enough, or all of them, to the batch: at most `held()`. */
  readonly release: (batch: FlowBatch, nowMs: number, all: boolean) => void
  /** Rows held now. */
  readonly held: () => number
  /** The index has another owner, or its evidence is of no use any more. */
  readonly forget: (exporter: number) => void
  /** "interfaces 1 → 2 and again on 3 → 4"; "" when it says nothing twice. */
  readonly where: (exporter: number) => string
  readonly bytesHeld: () => number
}

interface Watched {
  readonly points: MeteringPoints
  budget: number
  trial: boolean
  /** It says things twice, or did a moment ago: the whole table is used. */
  wide: boolean
  quietUntil: number
  held: FlowBatch | undefined
  heldFor: Array<PointPair>
  heldSince: number
}

const NEW = 0
const GLIMPSE = 1
const LOOK = 2

type Verdict = "count" | "repeat" | "hold"

/** Of records of one flow: the same packets, or nearly so where the clocks that cut a long flow differ. */
const nearly = (one: number, other: number): boolean => Math.abs(one - other) <= Math.max(2, Math.max(one, other) / 4)

export const makeRepeats = ({ repeated, seed }: RepeatsOptions): Repeats => {
  const modes = new Uint8Array(At.MAX_EXPORTERS)
  const watched: Array<Watched | undefined> = []
  const recent = makeRecentFlows(FEW, MOST)
  const secret = Math.imul(seed | 0, 0x9e3779b1) ^ 0x2545f491
  /** Never 0, as equal ports are. */
  const chosen = (1 + ((secret >>> 8) % 255)) << 1
  let heldRows = 0
  let low = 0
  let high = 0
  let holding: PointPair | undefined

  const watch = (exporter: number): Watched => {
    let one = watched[exporter]
    if (one === undefined) {
      one = {
        points: makeMeteringPoints(),
        budget: TRIAL_ROWS,
        trial: true,
        wide: false,
        quietUntil: 0,
        held: undefined,
        heldFor: [],
        heldSince: 0
      }
      watched[exporter] = one
      modes[exporter] = LOOK
    }
    return one
  }

  const mix = (word: number): void => {
    low = Math.imul(low ^ word, 0x85ebca6b)
    low ^= low >>> 15
    high = Math.imul(high + word, 0xc2b2ae35)
    high ^= high >>> 13
  }
  const fingerprint = (exporter: number, batch: FlowBatch, i: number): void => {
    low = secret ^ exporter
    high = ~secret
    if (batch.family[i] === 6) {
      const { ipv6 } = batch
      for (let at = i << 5; at < (i + 1) << 5; at += 4) {
        mix(ipv6[at]! | (ipv6[at + 1]! << 8) | (ipv6[at + 2]! << 16) | (ipv6[at + 3]! << 24))
      }
    } else {
      mix(batch.source[i]! | 0)
      mix(batch.destination[i]! | 0)
    }
    mix((batch.sourcePort[i]! << 16) | batch.destinationPort[i]!)
    mix((batch.family[i]! << 16) | (batch.direction[i]! << 8) | batch.protocol[i]!)
    low ^= low >>> 16
  }

  /** Compares with what the exporter said lately, and remembers what is new. */
  const judge = (one: Watched, exporter: number, domain: number, batch: FlowBatch, i: number): Verdict => {
    const start = batch.start[i]!
    const end = batch.end[i]!
    if (start === 0 || end < start) return "count"
    const input = batch.inputInterface[i]!
    const output = batch.outputInterface[i]!
    const packets = batch.packets[i]! + batch.reversePackets[i]!
    const octets = batch.bytes[i]! + batch.reverseBytes[i]!
    fingerprint(exporter, batch, i)
    const count = recent.find(low, high, exporter)
    let unlike: PointPair | undefined
    let similar: PointPair | undefined
    for (let n = 0; n < count; n++) {
      const at = recent.at(n)
      const near = Math.abs(recent.start(at) - start) <= NEAR_MS && Math.abs(recent.end(at) - end) <= NEAR_MS
      const equal = near && recent.packets(at) === packets && recent.octets(at) === octets
      if (recent.input(at) === input && recent.output(at) === output && recent.domain(at) === domain) {
        // sent again: it is counted again, and need not be remembered twice
        if (equal) return "count"
        continue
      }
      const shared = Math.min(recent.end(at), end) - Math.max(recent.start(at), start)
      const together = near || (shared > 0 && shared * 2 >= Math.min(recent.end(at) - recent.start(at), end - start))
      if (!together) continue
      const pair = one.points.pair(recent.domain(at), recent.input(at), recent.output(at), domain, input, output)
      if (pair === undefined) continue
      if (equal) {
        if (packets >= TELLING_PACKETS) one.points.alike(pair)
        if (one.points.believed(pair)) {
          pair.repeats++
          return "repeat"
        }
        holding = pair
        return "hold"
      }
      if (pair.known && nearly(recent.packets(at), packets) && nearly(recent.octets(at), octets)) similar = pair
      else unlike = pair
    }
    if (similar !== undefined) {
      similar.repeats++
      return "repeat"
    }
    if (unlike !== undefined) one.points.unlike(unlike)
    const at = recent.add(low, high, exporter)
    recent.place(at, domain, input, output)
    recent.measure(at, start, end, packets, octets)
    return "count"
  }

  const hold = (one: Watched, batch: FlowBatch, i: number, nowMs: number): boolean => {
    one.held ??= makeFlowBatch(HELD_ROWS)
    const { held } = one
    if (held.length === HELD_ROWS) return false
    if (held.length === 0) one.heldSince = nowMs
    one.heldFor[held.length] = holding!
    copyRow(batch, i, held, held.length++)
    heldRows++
    return true
  }

  /** Held rows whose pair is believed by now repeat others. */
  const settle = (one: Watched): void => {
    const { held, heldFor, points } = one
    if (held === undefined) return
    let kept = 0
    for (let row = 0; row < held.length; row++) {
      const pair = heldFor[row]!
      if (points.believed(pair)) {
        pair.repeats++
        repeated(held, row)
        continue
      }
      if (kept !== row) {
        copyRow(held, row, held, kept)
        heldFor[kept] = pair
      }
      kept++
    }
    heldRows -= held.length - kept
    held.length = kept
  }

  const widen = (): void => recent.widen(watched.some((one) => one?.wide === true))

  const calm = (one: Watched, exporter: number, nowMs: number): void => {
    modes[exporter] = GLIMPSE
    if (!one.trial) one.quietUntil = nowMs + QUIET_MS
    one.trial = false
    one.wide = false
    one.heldSince = Number.NEGATIVE_INFINITY
    one.points.restart()
    widen()
  }

  const look = (exporter: number, domain: number, batch: FlowBatch, from: number, nowMs: number): void => {
    const one = watch(exporter)
    const { length } = batch
    let kept = from
    let left = 0
    for (let i = from; i < length; i++) {
      const verdict = judge(one, exporter, domain, batch, i)
      if (verdict === "repeat") {
        repeated(batch, i)
        left++
        continue
      }
      if (verdict === "hold" && hold(one, batch, i, nowMs)) continue
      if (kept !== i) copyRow(batch, i, batch, kept)
      kept++
    }
    batch.length = kept
    if (one.held !== undefined && one.held.length > 0) settle(one)
    if (!one.wide && one.points.anyKnown()) {
      one.wide = true
      widen()
    }
    if (left > 0) {
      one.trial = false
      one.budget = LOOK_ROWS
      one.quietUntil = 0
    } else one.budget -= length - from
    if (one.budget <= 0) calm(one, exporter, nowMs)
  }

  /** One flow of a calm exporter that was chosen by its ports. */
  const glimpse = (exporter: number, domain: number, batch: FlowBatch, i: number, nowMs: number): void => {
    const one = watch(exporter)
    const verdict = judge(one, exporter, domain, batch, i)
    if (verdict === "count") return
    const telling = batch.packets[i]! + batch.reversePackets[i]! >= TELLING_PACKETS && nowMs >= one.quietUntil
    if (verdict === "hold" && !telling) return
    one.budget = TRIAL_ROWS
    modes[exporter] = LOOK
  }

  return {
    sift: (exporter, domain, batch, from, nowMs) => {
      const { destinationPort, length, sourcePort } = batch
      // no flow times: sFlow, and what cannot be judged
      if (from >= length || batch.start[from] === 0) return
      if (modes[exporter] !== GLIMPSE) return look(exporter, domain, batch, from, nowMs)
      for (let i = from; i < length; i++) {
        if (((sourcePort[i]! ^ destinationPort[i]!) & PORT_BITS) === chosen) glimpse(exporter, domain, batch, i, nowMs)
      }
    },
    release: (batch, nowMs, all) => {
      if (heldRows === 0) return
      for (const one of watched) {
        const held = one?.held
        if (one === undefined || held === undefined || held.length === 0) continue
        if (!all && nowMs - one.heldSince < HELD_MS) continue
        if (batch.length + held.length > batch.family.length) return
        for (let row = 0; row < held.length; row++) copyRow(held, row, batch, batch.length++)
        heldRows -= held.length
        held.length = 0
      }
    },
    held: () => heldRows,
    forget: (exporter) => {
      heldRows -= watched[exporter]?.held?.length ?? 0
      watched[exporter] = undefined
      modes[exporter] = NEW
      widen()
    },
    where: (exporter) => {
      const points = watched[exporter]?.points
      const pair = points?.busiest()
      if (points === undefined || pair === undefined) return ""
      const others = points.pairs() - 1
      const also = others > 0 ? `, and so of ${others} other pair${others === 1 ? "" : "s"} of places` : ""
      return `interfaces ${points.name(pair.first, pair.second)} and again on ${points.name(pair.second, pair.first)}${also}`
    },
    bytesHeld: recent.bytesHeld
  }
}
