/**
 * How plainly a port is a service. A function of protocol and port only, so that both directions of a conversation, on whichever
 * worker, rank its two ends alike. Ranks order: the end with the higher rank is the likelier server.
 */

/** Ports on which clients listen by definition (DHCP), and port 0. */
export const RANK_CLIENT = 0
/** 32768 and above: Linux takes client ports from 32768–60999, IANA and Windows from 49152–65535 (RFC 6335 §6). */
export const RANK_EPHEMERAL = 1
/** 1024–32767 without a known service; also client ports of old systems and of address translators. */
export const RANK_REGISTERED = 2
/** A known service in the ephemeral range: clients come by such a port by chance. */
export const RANK_HIGH_SERVICE = 3
/** Below 1024 without a known service: needs privilege to listen on, but clients of NFS and rsh use such ports too. */
export const RANK_SYSTEM = 4
/** A known service below 32768. */
export const RANK_SERVICE = 5
/** The operator said that this port serves. */
export const RANK_DECLARED = 6

/** Class of a protocol in the rank table: 0 has no ports; others have 65,536 ranks each. */
export const portClass = (protocol: number): 0 | 1 | 2 | 3 =>
  protocol === 6 ? 1 : protocol === 17 ? 2 : protocol === 132 || protocol === 33 || protocol === 136 ? 3 : 0

/** Ranks of all ports: `ranks[(portClass(protocol) << 16) | port]`. The first 65,536 entries (no ports) are 0. 256 KiB. */
export type PortRanks = Uint8Array

export interface KnownPort {
  /** IP protocol number. */
  readonly protocol: number
  readonly port: number
  /** Clients listen on it (DHCP). */
  readonly client?: boolean
}

/** Builds the rank table from the service table and what the operator declared. SCTP, DCCP and UDP-Lite take TCP's and UDP's services. */
export const makePortRanks = (services: Iterable<KnownPort>, declared: Iterable<KnownPort> = []): PortRanks => {
  const ranks = new Uint8Array(4 << 16)
  for (let kind = 1; kind <= 3; kind++) {
    const base = kind << 16
    ranks.fill(RANK_SYSTEM, base + 1, base + 1024)
    ranks.fill(RANK_REGISTERED, base + 1024, base + 32768)
    ranks.fill(RANK_EPHEMERAL, base + 32768, base + 65536)
  }
  const put = (known: KnownPort, rank: number) => {
    const kind = portClass(known.protocol)
    if (kind === 0 || known.port < 1 || known.port > 65535) return
    ranks[(kind << 16) | known.port] = rank
    const other = (3 << 16) | known.port
    if (ranks[other]! < rank) ranks[other] = rank
  }
  for (const service of services) {
    put(service, service.client === true ? RANK_CLIENT : service.port < 32768 ? RANK_SERVICE : RANK_HIGH_SERVICE)
  }
  for (const service of declared) put(service, RANK_DECLARED)
  return ranks
}

export const portRank = (ranks: PortRanks, protocol: number, port: number): number => ranks[(portClass(protocol) << 16) | port] ?? 0
