/** What an exporter says about a conversation; the four encoders take it. */
export interface ExportRecord {
  /** 4 or 16 octets each, both of the same family. */
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
  /** OR of the flags of the packets counted. */
  readonly tcpFlags: number
  readonly packets: number
  readonly bytes: number
  /** Both directions in one record (RFC 5103); 0 packets: nothing came back. Only IPFIX can say it. */
  readonly reversePackets: number
  readonly reverseBytes: number
  readonly reverseFlags: number
  /** First and last packet, ms since 1970 by the exporter's clock. */
  readonly startMs: number
  readonly endMs: number
  /** ifIndex. */
  readonly input: number
  readonly output: number
  /** Taken on the way out (IE 61 flowDirection). Only IPFIX says it, when asked to. */
  readonly egress?: boolean
  /** IPv4 source and destination after address translation. Only IPFIX says it, when asked to. */
  readonly post?: Translated | undefined
}

export interface Translated {
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly sourcePort: number
  readonly destinationPort: number
}

/** UDP payload that fits an Ethernet frame with room for IPv6 and a tag: 1,500 − 40 − 8, rounded down. */
export const MAX_PAYLOAD = 1440
