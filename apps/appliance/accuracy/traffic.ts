/**
 * Connections as packets on the wire, in the order of time. Pure: a seed plays the same world again. Times are ms since the play began
 * and have fractions: on a LAN question and answer are often within one millisecond, and flow records cannot tell them apart then.
 */
import type { Seeded } from "../demo/random.ts"
import type { Truth } from "./Truth.ts"

export const TCP = 6
export const UDP = 17
export const FIN = 1
export const SYN = 2
export const RST = 4
export const PSH = 8
export const ACK = 16

/** One connection, or what two ends say between a pair of ports. `truth`: null when it is no dependency (a scan). */
export interface Link {
  readonly truth: Truth | null
  readonly client: string
  readonly server: string
  readonly clientPort: number
  readonly serverPort: number
  readonly protocol: number
}

/** So many equal packets of one direction at one instant. */
export interface Packets {
  readonly link: Link
  readonly at: number
  readonly toServer: boolean
  readonly count: number
  /** IP octets of each. */
  readonly bytes: number
  readonly flags: number
}

const MSS = 1448
const headerOf = (link: Link): number => (link.client.includes(":") ? 40 : 20) + (link.protocol === TCP ? 32 : 8)

/** Full segments and a last one; 0 octets are one bare packet. */
const segments = (link: Link, at: number, toServer: boolean, payload: number, flags: number): ReadonlyArray<Packets> => {
  const header = headerOf(link)
  const full = Math.floor(payload / MSS)
  const rest = payload % MSS
  const packets: Array<Packets> = []
  if (full > 0) packets.push({ link, at, toServer, count: full, bytes: header + MSS, flags })
  if (rest > 0 || full === 0) packets.push({ link, at, toServer, count: 1, bytes: header + rest, flags })
  return packets
}

/** Question, answer, and bare acknowledgements of every second full segment. */
const exchange = (link: Link, at: number, trip: number, request: number, response: number): ReadonlyArray<Packets> => {
  const data = link.protocol === TCP ? ACK | PSH : 0
  const packets = [...segments(link, at, true, request, data), ...segments(link, at + trip, false, response, data)]
  if (link.protocol !== TCP) return packets
  const header = headerOf(link)
  const acks = (toServer: boolean, octets: number, when: number): ReadonlyArray<Packets> => {
    const count = Math.floor(octets / MSS / 2)
    return count === 0 ? [] : [{ link, at: when, toServer, count, bytes: header, flags: ACK }]
  }
  return [...packets, ...acks(false, request, at + trip), ...acks(true, response, at + trip * 1.5)]
}

/** Round trip between two machines of a datacenter, with a tail for those far away, ms. */
export const tripOf = (random: Seeded): number => random.skewed(0.15, 20)

export interface Exchange {
  readonly request: readonly [number, number]
  readonly response: readonly [number, number]
}

const handshake = (link: Link, at: number, trip: number): ReadonlyArray<Packets> => {
  const header = headerOf(link)
  return [
    { link, at, toServer: true, count: 1, bytes: header + 8, flags: SYN },
    { link, at: at + trip, toServer: false, count: 1, bytes: header + 8, flags: SYN | ACK },
    { link, at: at + trip * 1.2, toServer: true, count: 1, bytes: header, flags: ACK }
  ]
}

const farewell = (link: Link, at: number, trip: number): ReadonlyArray<Packets> => {
  const header = headerOf(link)
  return [
    { link, at, toServer: true, count: 1, bytes: header, flags: FIN | ACK },
    { link, at: at + trip, toServer: false, count: 1, bytes: header, flags: FIN | ACK },
    { link, at: at + trip * 1.2, toServer: true, count: 1, bytes: header, flags: ACK }
  ]
}

/** One question and its answer: a TCP connection from SYN to FIN, or two datagrams. */
export const ask = (link: Link, at: number, what: Exchange, random: Seeded): ReadonlyArray<Packets> => {
  const trip = tripOf(random)
  const request = Math.round(random.skewed(...what.request))
  const response = Math.round(random.skewed(...what.response))
  if (link.protocol !== TCP) return exchange(link, at, trip, request, response)
  const asked = at + trip * 1.5
  const ended = asked + trip * 2 + random.between(1, 40)
  return [...handshake(link, at, trip), ...exchange(link, asked, trip, request, response), ...farewell(link, ended, trip)]
}

/** The client speaks, nobody answers: syslog, traps. */
export const tell = (link: Link, at: number, what: Exchange, random: Seeded): ReadonlyArray<Packets> =>
  segments(link, at, true, Math.round(random.skewed(...what.request)), link.protocol === TCP ? ACK | PSH : 0)

export interface Session extends Exchange {
  /** ms between questions. */
  readonly every: number
  /** It was opened before anybody looked, and goes on afterwards: no SYN, no FIN. */
  readonly midway: boolean
  /** The server speaks first after a silence as often as the client (pushes, keepalives). */
  readonly pushes: boolean
}

/** A connection that stays: questions and answers from `from` to `until`. */
export const stay = (link: Link, from: number, until: number, what: Session, random: Seeded): ReadonlyArray<Packets> => {
  const trip = tripOf(random)
  const packets: Array<Packets> = what.midway ? [] : [...handshake(link, from, trip)]
  let at = from + trip * 2 + random.between(0, what.every)
  while (at < until - trip * 3) {
    const request = Math.round(random.skewed(...what.request))
    const response = Math.round(random.skewed(...what.response))
    if (what.pushes && random.next() < 0.5) {
      const data = link.protocol === TCP ? ACK | PSH : 0
      packets.push(...segments(link, at, false, response, data))
      packets.push(...segments(link, at + trip, true, 0, link.protocol === TCP ? ACK : 0))
    } else {
      packets.push(...exchange(link, at, trip, request, response))
    }
    at += what.every * random.between(0.5, 1.5)
  }
  if (!what.midway) packets.push(...farewell(link, until - trip * 2, trip))
  return packets
}

/** A SYN that finds nobody, is refused, or (`open`) is answered and dropped again: what a port scanner sends. */
export const probe = (link: Link, at: number, answer: "none" | "refused" | "open", random: Seeded): ReadonlyArray<Packets> => {
  const bytes = headerOf(link) - 8
  const trip = tripOf(random)
  const first: Packets = { link, at, toServer: true, count: 1, bytes, flags: SYN }
  if (answer === "none") return [first]
  const flags = answer === "open" ? SYN | ACK : RST | ACK
  const packets = [first, { link, at: at + trip, toServer: false, count: 1, bytes, flags }]
  if (answer === "open") packets.push({ link, at: at + trip * 1.1, toServer: true, count: 1, bytes, flags: RST })
  return packets
}
