/**
 * Empties one socket in batches. `node:dgram` wakes it when something comes to a silent socket; from then on it reads by itself, with a rest
 * after each turn, until nothing came for a whole one. Waking a thread costs as much as twenty datagrams, so what comes in a rest is read
 * together.
 */
import { BATCH, type DatagramBlock } from "./mmsg.ts"

/** What `node:dgram` holds of the system's socket. */
export interface Handle {
  readonly fd: number
  readonly recvStart: () => number
  readonly recvStop: () => number
}

export interface BatchReader {
  /** Reads what is there, and goes on. */
  readonly wake: () => void
  readonly stop: () => void
}

/** Batches in one turn, 3 ms of work: then the other sockets and the messages of the main thread have theirs. */
const TURN_BATCHES = 16
/** The rest may be as long as this many octets a millisecond fill the buffer: ten times what a million records a second are. */
const OCTETS_A_MS = 400_000
const SHORTEST_REST_MS = 2
const LONGEST_REST_MS = 30

/** What the kernel books for a datagram of up to 1,500 octets: small ones fill a buffer as fast as large ones. */
const BOOKED_OCTETS = 2304

export interface Rest {
  readonly ms: number
  /** More datagrams than this since the last rest make the next one shorter by as much: a quarter of what the buffer holds. */
  readonly crowd: number
}

export const restOf = (bufferOctets: number): Rest => ({
  ms: Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, Math.floor(bufferOctets / OCTETS_A_MS))),
  // Linux books what datagrams take against twice the octets that it says it grants.
  crowd: Math.max(BATCH, Math.floor((2 * bufferOctets) / BOOKED_OCTETS / 4))
})

const msAfter = ({ crowd, ms }: Rest, taken: number): number =>
  taken <= crowd ? ms : Math.max(SHORTEST_REST_MS, Math.floor((ms * crowd) / taken))

/** `now` is asked once a call of the system. `failed`: the system refused a call with minus this number; there are no more turns until the next `wake`. */
export const readBatches = (
  block: DatagramBlock,
  handle: Handle,
  rest: Rest,
  take: (datagram: Uint8Array, from: string, fromPort: number, at: number, place: number) => void,
  now: () => number,
  failed: (call: string, error: number) => void
): BatchReader => {
  let next: NodeJS.Timeout | undefined
  let soon: NodeJS.Immediate | undefined
  let stopped = false
  /** Datagrams since the last rest. */
  let taken = 0

  const calm = (): void => {
    clearTimeout(next)
    clearImmediate(soon)
  }
  const sleep = (): void => {
    const refused = handle.recvStart()
    if (refused < 0) failed("recvstart", refused)
  }

  const turn = (): void => {
    for (let batch = 0; batch < TURN_BATCHES; batch++) {
      const count = block.receive(handle.fd)
      const at = now()
      for (let i = 0; i < count; i++) take(block.datagram(i), block.from(i), block.fromPort(i), at, i)
      if (stopped) return
      taken += Math.max(0, count)
      if (count < 0) {
        failed("recvmmsg", count)
        return
      }
      if (count < BATCH) {
        if (count + batch === 0) sleep()
        else next = setTimeout(turn, msAfter(rest, taken))
        taken = 0
        return
      }
    }
    soon = setImmediate(turn)
  }

  return {
    wake: () => {
      calm()
      handle.recvStop()
      turn()
    },
    stop: () => {
      stopped = true
      calm()
    }
  }
}
