/**
 * One UDP socket: asks for a large receive buffer, says what the kernel granted, hands every datagram to its taker, and accounts for
 * what the kernel dropped before it could be read. A socket that fails is opened again, with growing pauses.
 *
 * The mailbox of datagrams is the socket's own buffer: the taker decodes each at once, so a second queue in this thread could only add
 * copies. When it is full the kernel refuses the newest, which is counted here.
 *
 * `node:dgram` opens, closes and fails. It reads only the first datagram after a silence, the others are read in batches (read-batches.ts);
 * where the runtime cannot do that, it reads them all.
 */
import { createSocket, type Socket } from "node:dgram"
import { readFileSync, readlinkSync } from "node:fs"
import { getSystemErrorName } from "node:util"
import { type KernelReading, parseKernelTable } from "./kernel-table.ts"
import { type ListenerError, listenerErrorOf } from "./listener-error.ts"
import { type DatagramBlock, makeDatagramBlock } from "./mmsg.ts"
import { type BatchReader, type Handle, readBatches, restOf } from "./read-batches.ts"
import { forceReceiveBuffer } from "./receive-buffer.ts"

export interface UdpListenerOptions {
  readonly address: string
  /** 0: any free port. */
  readonly port: number
  readonly receiveBufferBytes: number
  /** Several workers share the port; the kernel spreads senders over them. */
  readonly reusePort: boolean
  /**
   * Called for each datagram, synchronously; its memory is used again afterwards. `at`: when it was read. `place`: its place in the room of
   * `block`, -1 where it is not there. Must not throw.
   */
  readonly take: (datagram: Uint8Array, from: string, fromPort: number, toPort: number, at: number, place: number) => void
  /** The clock that tells `at`. Default: Date.now. */
  readonly now?: () => number
  /** Something changed that people should see. */
  readonly changed?: () => void
  /** Reads in batches with this; undefined: one datagram a call. Default: what the runtime can. */
  readonly block?: DatagramBlock | undefined
  /** Asks for a buffer that is larger than anybody may have. Default: where the system lets us. */
  readonly force?: (fd: number, octets: number) => boolean
}

/** Plain data: crosses the thread boundary. Counters are since the listener was made. */
export interface ListenerReading {
  readonly address: string
  /** The port bound; as asked while it is not open. */
  readonly port: number
  readonly state: "starting" | "running" | "restarting" | "stopped"
  readonly since: number
  readonly restarts: number
  readonly lastError: ListenerError | null
  readonly datagrams: number
  readonly octets: number
  /** Receive buffer asked for and granted, octets; granted 0 while not open. */
  readonly bufferAsked: number
  readonly bufferGranted: number
  /** What to do when the kernel granted less than was asked; "" when it granted all. */
  readonly bufferHint: string
  /** Octets that wait in the kernel's buffer, and datagrams it dropped because that was full. */
  readonly kernelQueued: number
  readonly kernelDropped: number
  /** Many datagrams are read with one call of the kernel. */
  readonly batches: boolean
}

export interface UdpListener {
  readonly open: () => void
  readonly close: () => Promise<void>
  readonly read: () => ListenerReading
  /** Reads the kernel's counters; cheap enough for once a second. */
  readonly poll: () => void
  /** For tests of recovery: the socket fails with this error. */
  readonly fail: (error: Error) => void
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000

const bare = (address: string): string => {
  // An IPv4 sender on a socket that speaks both families, and the zone of a link-local one
  const mapped = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address
  const zone = mapped.indexOf("%")
  return zone < 0 ? mapped : mapped.slice(0, zone)
}

const kernelReading = (family: 4 | 6, port: number, inode: string | undefined): KernelReading | undefined => {
  try {
    return parseKernelTable(readFileSync(family === 6 ? "/proc/net/udp6" : "/proc/net/udp", "latin1"), port, inode)
  } catch {
    return undefined
  }
}

/** Of a bound socket. Node keeps it in the state behind a symbol; where that changes there are no batches, and no inode. */
const handleOf = (socket: Socket): Handle | undefined => {
  const symbol = Object.getOwnPropertySymbols(socket).find((one) => one.description === "state symbol")
  if (symbol === undefined) return undefined
  const handle = (socket as unknown as Record<symbol, { readonly handle?: Partial<Handle> }>)[symbol]?.handle
  const whole = handle?.fd !== undefined && handle.fd >= 0 && handle.recvStart !== undefined && handle.recvStop !== undefined
  return whole ? (handle as Handle) : undefined
}

const systemError = (call: string, negative: number): Error => {
  const code = getSystemErrorName(negative)
  return Object.assign(new Error(`${call} ${code}`), { code })
}

/** Without it the kernel's counters are the port's, which is exact unless several workers share it. */
const inodeOf = (fd: number): string | undefined => {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]
  } catch {
    return undefined
  }
}

/** What the kernel gave of the buffer that was asked for, octets; 0 when it does not say. */
const grantOf = (
  socket: Socket,
  fd: number | undefined,
  { receiveBufferBytes, force = forceReceiveBuffer }: UdpListenerOptions
): number => {
  // Linux doubles what it grants, for its own bookkeeping (socket(7), SO_RCVBUF).
  const read = () => Math.floor(socket.getRecvBufferSize() / 2)
  try {
    socket.setRecvBufferSize(receiveBufferBytes)
    const granted = read()
    return granted < receiveBufferBytes && fd !== undefined && force(fd, receiveBufferBytes) ? read() : granted
  } catch {
    return 0
  }
}

export const makeUdpListener = (options: UdpListenerOptions): UdpListener => {
  const { address, now = Date.now, take } = options
  const block = "block" in options ? options.block : makeDatagramBlock()
  let socket: Socket | undefined
  let timer: NodeJS.Timeout | undefined
  let state: ListenerReading["state"] = "starting"
  let since = Date.now()
  let port = options.port
  let restarts = 0
  let lastError: ListenerError | null = null
  let datagrams = 0
  let octets = 0
  let granted = 0
  let inode: string | undefined
  let kernelQueued = 0
  let droppedBefore = 0
  let droppedHere = 0
  let pause = FIRST_PAUSE_MS
  let batches: BatchReader | undefined

  const become = (next: ListenerReading["state"]): void => {
    state = next
    since = Date.now()
    options.changed?.()
  }

  const receive = (datagram: Uint8Array, from: string, fromPort: number, at: number, place: number): void => {
    datagrams++
    octets += datagram.length
    take(datagram, from, fromPort, port, at, place)
  }

  const letGo = (): Socket | undefined => {
    const last = socket
    socket = undefined
    batches?.stop()
    batches = undefined
    return last
  }

  const poll = (): void => {
    if (socket === undefined || state !== "running") return
    const reading = kernelReading(address.includes(":") ? 6 : 4, port, inode)
    if (reading === undefined) return
    kernelQueued = reading.queued
    droppedHere = reading.drops
  }

  const lose = (error: unknown): void => {
    lastError = listenerErrorOf(error, address, port, Date.now())
    poll()
    droppedBefore += droppedHere
    droppedHere = 0
    kernelQueued = 0
    granted = 0
    const failed = letGo()
    failed?.removeAllListeners()
    failed?.on("error", () => {})
    try {
      failed?.close()
    } catch {
      // a socket that never opened cannot be closed
    }
    if (state === "stopped") return
    become("restarting")
    timer = setTimeout(() => {
      restarts++
      open()
    }, pause)
    pause = Math.min(LONGEST_PAUSE_MS, pause * 2)
  }

  const open = (): void => {
    if (state === "stopped") return
    const fresh = createSocket({ type: address.includes(":") ? "udp6" : "udp4", reusePort: options.reusePort })
    socket = fresh
    fresh.on("error", lose)
    fresh.on("message", (datagram, from) => {
      receive(datagram, bare(from.address), from.port, now(), -1)
      batches?.wake()
    })
    fresh.bind({ address, port: port === 0 ? options.port : port, exclusive: true }, () => {
      if (socket !== fresh) return
      port = fresh.address().port
      const handle = handleOf(fresh)
      granted = grantOf(fresh, handle?.fd, options)
      inode = handle === undefined ? undefined : inodeOf(handle.fd)
      if (block !== undefined && handle !== undefined) {
        batches = readBatches(block, handle, restOf(granted), receive, now, (call, error) => lose(systemError(call, error)))
      }
      pause = FIRST_PAUSE_MS
      become("running")
    })
  }

  return {
    open,
    close: () =>
      new Promise((done) => {
        // What came within the last rest.
        batches?.wake()
        poll()
        clearTimeout(timer)
        const last = letGo()
        become("stopped")
        if (last === undefined) return done()
        try {
          last.close(() => done())
        } catch {
          done()
        }
      }),
    read: () => ({
      address,
      port,
      state,
      since,
      restarts,
      lastError,
      datagrams,
      octets,
      bufferAsked: options.receiveBufferBytes,
      bufferGranted: granted,
      bufferHint:
        granted > 0 && granted < options.receiveBufferBytes
          ? `the kernel grants ${granted} octets: sysctl -w net.core.rmem_max=${options.receiveBufferBytes}`
          : "",
      kernelQueued,
      kernelDropped: droppedBefore + droppedHere,
      batches: batches !== undefined
    }),
    poll,
    fail: lose
  }
}
