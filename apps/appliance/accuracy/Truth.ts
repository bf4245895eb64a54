/** What really happened in the played world, one entry a dependency; the comparison reads nothing else. */

export interface Truth {
  readonly scenario: string
  /** Kind of service, for the evidence. */
  readonly service: string
  readonly client: string
  readonly server: string
  readonly port: number
  readonly protocol: number
  /** Both ends speak first, from the same port to the same port: drawn either way round it is right. */
  readonly either: boolean
  /** IP octets of the packets that passed where somebody looked, each packet once. */
  bytesToServer: number
  bytesToClient: number
  packets: number
  /** Octets of the packets whose records were lost on the way on purpose. */
  lostBytes: number
  /** Packets that random samplers took, each standing for its rate. */
  samples: number
  /** Variance of the estimate of a random 1:N sampler: sum over packets of octets² × (N − 1); and the largest octets × N. */
  variance: number
  largest: number
  /** A record was exported that holds the SYN which opened a connection, of whichever end. */
  syn: boolean
  /** ms since 1970: the first datagram with a record of it left; a query first showed it. 0: not yet. */
  exportedMs: number
  visibleMs: number
}

export type Named = Pick<Truth, "client" | "server" | "port" | "protocol">

export const keyOf = ({ client, server, port, protocol }: Named): string => `${client}>${server}:${port}/${protocol}`

export const makeTruth = (
  of: Named & { readonly scenario: string; readonly service: string; readonly either?: boolean }
): Truth => ({
  ...of,
  either: of.either ?? false,
  bytesToServer: 0,
  bytesToClient: 0,
  packets: 0,
  lostBytes: 0,
  samples: 0,
  variance: 0,
  largest: 0,
  syn: false,
  exportedMs: 0,
  visibleMs: 0
})
