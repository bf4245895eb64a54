/** Conversations as exporters would report them: encoded, decoded, folded into windows, collapsed. */

import type { Edge } from "#pipeline/resolve/collapse/edges.ts"
import type { ExportRecord } from "../../apps/appliance/demo/ExportRecord.ts"
import { makeIpfix } from "../../apps/appliance/demo/encode-ipfix.ts"
import { makeNetflow5 } from "../../apps/appliance/demo/encode-netflow5.ts"
import { makeNetflow9 } from "../../apps/appliance/demo/encode-netflow9.ts"
import { makeSflow } from "../../apps/appliance/demo/encode-sflow.ts"
import { makeStages, type StagesOptions } from "../lab/conclude.ts"

export const noon = Date.UTC(2026, 0, 5, 12)

export type Via = "netflow5" | "netflow9" | "ipfix" | "sflow"

/** One direction of a connection. Ends are `10.0.0.HOST:PORT`, written `HOST:PORT`. */
export interface Said {
  readonly from: string
  readonly to: string
  readonly protocol: number
  readonly flags: number
  readonly packets: number
  readonly bytes: number
  /** ms after the start of its window. */
  readonly start: number
  readonly end: number
  readonly egress?: boolean
  readonly exporter: number
}

export interface Play extends StagesOptions {
  readonly via?: Via
  /** Records of one window after another. */
  readonly windows: ReadonlyArray<ReadonlyArray<Said>>
  readonly sampling?: number
}

export interface Variant {
  /** Addresses in the opposite order, so that the ends of every conversation change places. */
  readonly swapped?: boolean
  readonly order?: (records: ReadonlyArray<Said>) => ReadonlyArray<Said>
  /** Slices a window leaves in. */
  readonly slices?: number
}

const hostOf = (end: string): number => Number(end.slice(0, end.indexOf(":")))
const portOf = (end: string): number => Number(end.slice(end.indexOf(":") + 1))
const addressOf = (host: number, swapped: boolean): Uint8Array => {
  const value = swapped ? 0xffff - host : host
  return Uint8Array.of(10, 0, value >> 8, value & 0xff)
}
const hostIn = (address: string, swapped: boolean): number => {
  const [, , high, low] = address.split(".").map(Number)
  const value = high! * 256 + low!
  return swapped ? 0xffff - value : value
}

const recordOf = (said: Said, at: number, swapped: boolean): ExportRecord => ({
  source: addressOf(hostOf(said.from), swapped),
  destination: addressOf(hostOf(said.to), swapped),
  sourcePort: portOf(said.from),
  destinationPort: portOf(said.to),
  protocol: said.protocol,
  tcpFlags: said.flags,
  packets: said.packets,
  bytes: said.bytes,
  reversePackets: 0,
  reverseBytes: 0,
  reverseFlags: 0,
  startMs: at + said.start,
  endMs: at + said.end,
  input: 1,
  output: 2,
  egress: said.egress === true
})

const encoderOf = (via: Via, sampling: number, exporter: number) => {
  const bootMs = noon - 86_400_000
  if (via === "netflow5") return makeNetflow5({ bootMs, sampling })
  if (via === "netflow9") return makeNetflow9({ bootMs, sampling })
  if (via === "ipfix") return makeIpfix({ sampling, direction: true })
  const sflow = makeSflow({ bootMs, agent: Uint8Array.of(192, 0, 2, exporter + 1), sampling })
  return {
    encode: (records: ReadonlyArray<ExportRecord>, nowMs: number) =>
      sflow.encode(
        records.map((record) => ({ ...record, bytes: Math.round(record.bytes / record.packets) })),
        [],
        nowMs
      )
  }
}

/** `CLIENT -> SERVER:PORT/PROTOCOL` of an edge. */
export const drawn = (edge: Edge, swapped = false): string =>
  `${hostIn(edge.client, swapped)} -> ${hostIn(edge.server, swapped)}:${edge.port}/${edge.protocol}`

/** The edges of each slice, one list a slice that had any. */
export const play = (what: Play, variant: Variant = {}): ReadonlyArray<ReadonlyArray<Edge>> => {
  const { via = "netflow9", windows } = what
  const swapped = variant.swapped === true
  const count = 1 + Math.max(...windows.flat().map((said) => said.exporter))
  const addresses = Array.from({ length: count }, (_, i) => `192.0.2.${i + 1}`)
  const encoders = addresses.map((_, i) => encoderOf(via, what.sampling ?? 1, i))
  const stages = makeStages(addresses, what)
  const found: Array<ReadonlyArray<Edge>> = []
  windows.forEach((records, window) => {
    const at = noon + window * 300_000
    const ordered = variant.order === undefined ? records : variant.order(records)
    const slices = variant.slices ?? 1
    const size = Math.max(1, Math.ceil(ordered.length / slices))
    for (let from = 0; from < ordered.length; from += size) {
      const now = at + 299_000
      for (const said of ordered.slice(from, from + size)) {
        for (const datagram of encoders[said.exporter]!.encode([recordOf(said, at, swapped)], now))
          stages.hear(said.exporter, datagram, now)
      }
      for (const slice of stages.conclude(now)) found.push(slice.edges)
    }
  })
  return found.filter((edges) => edges.length > 0)
}
