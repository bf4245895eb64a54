/**
 * The folding rule: which end of a conversation keeps its port. A function of protocol and the two ends only, and symmetric in them, so
 * that both directions meet in one row whichever came first.
 *
 * The higher port rank (libs/domain/PortRank.ts) is plainly the service: it becomes `b`, and the ports of the other end, one a
 * connection, are folded together. Equal ranks say nothing: both ports stay exact, the ends are put in order of address and port,
 * and resolve/collapse/collapse.ts tells the service by its fan-in. Protocols without ports (ICMP's type and code are not ports) have 0 and 0.
 *
 * kernel-keys.ts has this rule in WebAssembly; the tests of the table hold the two together.
 */
import { type PortRanks, portClass } from "#domain/PortRank.ts"

export interface Fold {
  /** The source of the record is end `b`. */
  readonly sourceIsB: boolean
  /** 1: the ports of `a` are folded. */
  readonly folded: 0 | 1
  readonly aPort: number
  readonly bPort: number
}

/** `source` and `destination` are IPv4 as unsigned integers, or indices of interned IPv6 addresses. */
export const foldEnds = (
  ranks: PortRanks,
  protocol: number,
  source: number,
  destination: number,
  sourcePort: number,
  destinationPort: number
): Fold => {
  const kind = portClass(protocol)
  if (kind === 0) return { sourceIsB: (source | 0) > (destination | 0), folded: 0, aPort: 0, bPort: 0 }
  const sourceRank = ranks[(kind << 16) | sourcePort]!
  const destinationRank = ranks[(kind << 16) | destinationPort]!
  const folded = sourceRank === destinationRank ? 0 : 1
  const sourceIsB =
    folded === 1
      ? sourceRank > destinationRank
      : source === destination
        ? sourcePort > destinationPort
        : (source | 0) > (destination | 0)
  return sourceIsB
    ? { sourceIsB, folded, aPort: destinationPort, bPort: sourcePort }
    : { sourceIsB, folded, aPort: sourcePort, bPort: destinationPort }
}
