/**
 * An exporter that watches packets go by: meters or samples them, encodes what is ready, and has the faults it is told to have. Its
 * datagrams are handed out with the flows they carry, so that the truth knows what left when and what was lost on purpose.
 */

import { makeIpfix } from "../demo/encode-ipfix.ts"
import { makeNetflow5 } from "../demo/encode-netflow5.ts"
import { makeNetflow9 } from "../demo/encode-netflow9.ts"
import type { SampledPacket } from "../demo/encode-sflow.ts"
import { makeSflow } from "../demo/encode-sflow.ts"
import { octetsOf, taken } from "../demo/observe.ts"
import type { Seeded } from "../demo/random.ts"
import { type Flow, makeFlowCache, type Passage } from "./FlowCache.ts"
import type { Truth } from "./Truth.ts"
import { ACK, type Packets, SYN } from "./traffic.ts"

export interface ExporterOptions {
  readonly name: string
  /** Where its datagrams come from, on loopback; for sFlow also the agent. */
  readonly address: string
  readonly protocol: "netflow5" | "netflow9" | "ipfix" | "sflow5"
  /** A random one of N packets; 1: all. */
  readonly sampling?: number
  /** The rate is announced for a selector that records name (IPFIX). */
  readonly selector?: number
  /** Both directions in one record; IPFIX only. */
  readonly biflow?: boolean
  /** False: flags are 0 in all records. */
  readonly flags?: boolean
  /** Every packet is metered where it comes in and where it goes out, and records say which (IPFIX). */
  readonly bothWays?: boolean
  /** Records carry the translated tuple (IPFIX). */
  readonly translation?: boolean
  readonly activeMs: number
  readonly idleMs: number
  /** What its clock is off by, ms, so many ms after the play began. Anything but a constant needs absolute times: IPFIX. */
  readonly clock?: (sinceMs: number) => number
  /** Share of the datagrams that never arrive. */
  readonly loss?: number
  /** Datagrams are held back at random by up to so long, and so overtake each other. */
  readonly jitterMs?: number
  /** This share of them is held back by `lateMs`. */
  readonly late?: { readonly share: number; readonly ms: number }
  /** It starts anew at these times after the play began: numbers from 0, a new source port, templates again. */
  readonly restarts?: ReadonlyArray<number>
  /** Octets of padding before each record, by ms after the play began: the layout of its templates, under the same ids. */
  readonly padding?: (sinceMs: number) => number
  /** Templates come so long after the first data. */
  readonly templatesLateMs?: number
  /** Datagrams leave from so many source ports in turn. */
  readonly sockets?: number
}

/** Of one `encode`: datagrams that stay together, when they leave, and what is in them. */
export interface Export {
  readonly datagrams: ReadonlyArray<Uint8Array>
  readonly leavesMs: number
  readonly lost: boolean
  readonly contents: ReadonlyArray<{ readonly truth: Truth | null; readonly bytes: number; readonly syn: boolean }>
  /** Which of its sockets, and of which life. */
  readonly socket: number
  readonly life: number
}

export interface Exporter extends ExporterOptions {
  readonly see: (packets: Packets, atMs: number, passage: Passage) => void
  readonly ready: (nowMs: number, all: boolean) => ReadonlyArray<Export>
  /** Flows or samples not exported yet. */
  readonly waiting: () => number
}

/** Records or samples of one datagram; they fit it in every protocol, beside a template. */
const RECORDS = 14
const SAMPLES = 6
const UPTIME_MS = 9 * 86_400_000
const TEMPLATES_EVERY_MS = 5000

interface Life {
  readonly flows: (flows: ReadonlyArray<Flow>, clockMs: number) => ReadonlyArray<Uint8Array>
  readonly samples: (samples: ReadonlyArray<SampledPacket>, clockMs: number) => ReadonlyArray<Uint8Array>
}

const none: ReadonlyArray<Uint8Array> = []

const live = (options: ExporterOptions, bootMs: number, startMs: number): Life => {
  const { address, protocol, sampling = 1, selector } = options
  if (protocol === "sflow5") {
    const { encode } = makeSflow({ bootMs, agent: octetsOf(address), sampling })
    return { flows: () => none, samples: (samples, clockMs) => encode(samples, [], Math.floor(clockMs)) }
  }
  const templateEveryMs = TEMPLATES_EVERY_MS
  const padded = options.padding
  const padding = padded === undefined ? {} : { padding: (clockMs: number) => padded(clockMs - startMs) }
  const { encode } =
    protocol === "netflow5"
      ? makeNetflow5({ bootMs, sampling })
      : protocol === "netflow9"
        ? makeNetflow9({ bootMs, sampling, templateEveryMs, ...padding })
        : makeIpfix({
            sampling,
            templateEveryMs,
            ...padding,
            direction: options.bothWays ?? false,
            translation: options.translation ?? false,
            ...(selector === undefined ? {} : { selector })
          })
  return { flows: (flows, clockMs) => encode(flows, Math.floor(clockMs)), samples: () => none }
}

interface Sample {
  readonly packet: SampledPacket
  readonly truth: Truth | null
}

export const makeExporter = (options: ExporterOptions, startMs: number, random: Seeded): Exporter => {
  const { activeMs, biflow = false, bothWays = false, flags = true, idleMs, protocol, sampling = 1, sockets = 1 } = options
  const cache = makeFlowCache({ activeMs, idleMs, biflow, flags })
  const clockOf = (atMs: number) => atMs + (options.clock?.(atMs - startMs) ?? 0)
  const restarts = [...(options.restarts ?? [])].sort((a, b) => a - b)
  let life = live(options, clockOf(startMs) - UPTIME_MS, startMs)
  let lives = 0
  let turn = 0
  let samples: Array<Sample> = []
  let held: ReadonlyArray<Flow> = []

  const sample = (packets: Packets, count: number, passage: Passage): void => {
    const { bytes, link, toServer } = packets
    const { client, clientPort, protocol: transport, server, serverPort, truth } = link
    const packet: SampledPacket = {
      source: octetsOf(toServer ? client : server),
      destination: octetsOf(toServer ? server : client),
      sourcePort: toServer ? clientPort : serverPort,
      destinationPort: toServer ? serverPort : clientPort,
      protocol: transport,
      tcpFlags: packets.flags,
      bytes,
      input: passage.input,
      output: passage.output
    }
    for (let i = 0; i < count; i++) samples.push({ packet, truth })
  }

  const account = (packets: Packets, count: number): void => {
    const { truth } = packets.link
    if (truth === null || sampling === 1) return
    truth.samples += count
    truth.variance += packets.count * packets.bytes ** 2 * (sampling - 1)
    truth.largest = Math.max(truth.largest, packets.bytes * sampling)
  }

  const leaves = (nowMs: number): number => {
    const { jitterMs = 0, late } = options
    const delay = late !== undefined && random.next() < late.share ? late.ms : 0
    return nowMs + delay + (jitterMs > 0 ? random.between(0, jitterMs) : 0)
  }

  const parcel = (datagrams: ReadonlyArray<Uint8Array>, leavesMs: number, contents: Export["contents"]): Export => ({
    datagrams,
    leavesMs,
    lost: options.loss !== undefined && random.next() < options.loss,
    contents,
    socket: turn++ % sockets,
    life: lives
  })

  const contentOf = (flow: Flow) => ({ truth: flow.link.truth, bytes: flow.bytes + flow.reverseBytes, syn: flow.syn })

  return {
    ...options,
    see: (packets, atMs, passage) => {
      const count = sampling === 1 ? packets.count : taken(packets.count, sampling, random).length
      account(packets, count)
      if (count === 0) return
      if (protocol === "sflow5") return sample(packets, count, passage)
      const clockMs = clockOf(atMs)
      cache.add(packets, count, atMs, clockMs, passage)
      if (bothWays) cache.add(packets, count, atMs, clockMs, { ...passage, egress: true })
    },
    ready: (nowMs, all) => {
      const clockMs = clockOf(nowMs)
      const exports: Array<Export> = []
      const restarting = restarts[0] !== undefined && nowMs - startMs >= restarts[0]
      const expired = [...held, ...cache.expire(nowMs, all || restarting)]
      // The header of version 9 has whole seconds only; no flow it announces has ended after it
      const second = protocol === "netflow9" ? Math.floor(clockMs / 1000) * 1000 : Number.POSITIVE_INFINITY
      const flows = restarting ? expired : expired.filter((flow) => flow.endMs <= second)
      held = restarting ? [] : expired.filter((flow) => flow.endMs > second)
      if (flows.length > 0 && turn === 0 && options.templatesLateMs !== undefined) {
        exports.push(parcel(life.flows([], clockMs), nowMs + options.templatesLateMs, []))
      }
      for (let at = 0; at < flows.length; at += RECORDS) {
        const part = flows.slice(at, at + RECORDS)
        exports.push(parcel(life.flows(part, clockMs), leaves(nowMs), part.map(contentOf)))
      }
      for (let at = 0; at < samples.length; at += SAMPLES) {
        const part = samples.slice(at, at + SAMPLES)
        const contents = part.map(({ packet, truth }) => ({
          truth,
          bytes: packet.bytes,
          syn: (packet.tcpFlags & (SYN | ACK)) === SYN
        }))
        exports.push(
          parcel(
            life.samples(
              part.map((one) => one.packet),
              clockMs
            ),
            leaves(nowMs),
            contents
          )
        )
      }
      samples = []
      if (restarting) {
        restarts.shift()
        lives++
        life = live(options, clockMs, startMs)
      }
      return exports
    },
    waiting: () => cache.size() + held.length + samples.length
  }
}
