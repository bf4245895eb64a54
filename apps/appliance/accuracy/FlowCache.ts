/**
 * What an exporter's metering process makes of packets: flows, until they end, fall silent or grow too old. Flags are the OR over all
 * packets of a flow, times those of its first and last packet.
 */
import type { ExportRecord } from "../demo/ExportRecord.ts"
import { octetsOf } from "../demo/observe.ts"
import { ACK, FIN, type Link, type Packets, RST, SYN } from "./traffic.ts"

export type Flow = {
  -readonly [K in keyof ExportRecord]: ExportRecord[K]
} & {
  readonly link: Link
  /** It holds the SYN that opened the connection. */
  syn: boolean
  /** Real time of the first and last packet, whatever the exporter's clock says. */
  readonly sinceMs: number
  heardMs: number
  ended: boolean
}

/** Where packets came in and went out. */
export interface Passage {
  readonly input: number
  readonly output: number
  /** Metered on the way out (IE 61). */
  readonly egress?: boolean
  /** The tuple after address translation. */
  readonly post?: ExportRecord["post"]
}

export interface CacheOptions {
  /** A flow older than this is cut. */
  readonly activeMs: number
  /** A flow silent for so long has ended. */
  readonly idleMs: number
  /** Both directions in one flow, seen from the end that opened (RFC 5103). */
  readonly biflow: boolean
  /** False: the platform exports no TCP flags. */
  readonly flags: boolean
}

export interface FlowCache {
  /** `clockMs`: what the exporter's clock shows at `atMs`. */
  readonly add: (packets: Packets, count: number, atMs: number, clockMs: number, passage: Passage) => void
  /** Flows that are over; `all`: what is left of the others, too. */
  readonly expire: (atMs: number, all: boolean) => ReadonlyArray<Flow>
  readonly size: () => number
}

/** A connection that said goodbye leaves the cache after so long, so that the last ACK does not make a flow of its own. */
const ENDED_MS = 300

export const makeFlowCache = ({ activeMs, biflow, flags, idleMs }: CacheOptions): FlowCache => {
  const flows = new Map<string, Flow>()

  const begin = (link: Link, forward: boolean, atMs: number, clockMs: number, passage: Passage): Flow => ({
    link,
    source: octetsOf(forward ? link.client : link.server),
    destination: octetsOf(forward ? link.server : link.client),
    sourcePort: forward ? link.clientPort : link.serverPort,
    destinationPort: forward ? link.serverPort : link.clientPort,
    protocol: link.protocol,
    tcpFlags: 0,
    packets: 0,
    bytes: 0,
    reversePackets: 0,
    reverseBytes: 0,
    reverseFlags: 0,
    startMs: Math.floor(clockMs),
    endMs: Math.floor(clockMs),
    input: passage.input,
    output: passage.output,
    egress: passage.egress ?? false,
    post: passage.post,
    syn: false,
    sinceMs: atMs,
    heardMs: atMs,
    ended: false
  })

  return {
    add: (packets, count, atMs, clockMs, passage) => {
      const { link, toServer } = packets
      const way = biflow ? "" : toServer ? ">" : "<"
      const key = `${link.client} ${link.clientPort}${way}${link.server} ${link.serverPort} ${link.protocol} ${passage.input} ${passage.egress}`
      let flow = flows.get(key)
      if (flow === undefined) {
        flow = begin(link, biflow || toServer, atMs, clockMs, passage)
        flows.set(key, flow)
      }
      const octets = count * packets.bytes
      const said = flags ? packets.flags : 0
      if (biflow && !toServer) {
        flow.reversePackets += count
        flow.reverseBytes += octets
        flow.reverseFlags |= said
      } else {
        flow.packets += count
        flow.bytes += octets
        flow.tcpFlags |= said
      }
      if ((packets.flags & (SYN | ACK)) === SYN) flow.syn = true
      if ((packets.flags & (FIN | RST)) !== 0) flow.ended = true
      flow.endMs = Math.max(flow.endMs, Math.floor(clockMs))
      flow.heardMs = Math.max(flow.heardMs, atMs)
    },
    expire: (atMs, all) => {
      const over: Array<Flow> = []
      for (const [key, flow] of flows) {
        const silent = atMs - flow.heardMs
        if (all || silent >= idleMs || (flow.ended && silent >= ENDED_MS) || atMs - flow.sinceMs >= activeMs) {
          flows.delete(key)
          over.push(flow)
        }
      }
      return over
    },
    size: () => flows.size
  }
}
