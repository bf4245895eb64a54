/**
 * recvmmsg(2) through `node:ffi`: many datagrams a call, into memory that is used again for the next (docs/decisions/015). `node:dgram` takes
 * one a call, and allocates and collects a buffer for each.
 */
import { RECEIVE_ROOM, RECEIVED_AT_ONCE, RECEIVED_STRIDE } from "../decode/FlowBatch.ts"
import { withFfi } from "./ffi.ts"
import { makeSockaddrText } from "./sockaddr-text.ts"

/** Datagrams a call. */
export const BATCH = RECEIVED_AT_ONCE

/** Of 64-bit little-endian Linux: struct mmsghdr is a struct msghdr of 56 octets and the length received. */
const HEADER = 64
const HEADER_NAME = 0
const HEADER_NAME_LENGTH = 8
const HEADER_VECTOR = 16
const HEADER_VECTORS = 24
const HEADER_LENGTH = 56
const VECTOR = 16
/** sockaddr_in6, rounded up to where the next may begin. */
const NAME = 32
const NAME_LENGTH = 28
const MSG_DONTWAIT = 0x40
const EINTR = 4
const EAGAIN = 11

const VECTORS_AT = BATCH * HEADER
const NAMES_AT = VECTORS_AT + BATCH * VECTOR
const HEADERS_ROOM = NAMES_AT + BATCH * NAME

export interface DatagramBlock {
  /** Takes what waits at the socket, at most `BATCH` datagrams, and does not wait: how many, or minus the number of the error (errno(3)). */
  readonly receive: (fd: number) => number
  /** Datagram `i` of the last call, at place `i`. Its octets are overwritten by the next: whoever keeps any of them copies. */
  readonly datagram: (i: number) => Uint8Array
  readonly from: (i: number) => string
  readonly fromPort: (i: number) => number
}

const load = () =>
  withFfi((ffi) => {
    const { functions } = ffi.dlopen(null, {
      recvmmsg: { arguments: ["i32", "pointer", "u32", "i32", "pointer"], return: "i32" },
      __errno_location: { arguments: [], return: "pointer" }
    })
    return { ffi, recvmmsg: functions.recvmmsg, errnoAt: functions.__errno_location() }
  })

/**
 * `room`: where datagrams are received, so that they need not be copied to be decoded (decode/FlowBatch.ts); the default is memory of its own.
 * Only pages that were written to take any. Undefined where the runtime cannot.
 */
export const makeDatagramBlock = (room = new Uint8Array(RECEIVE_ROOM)): DatagramBlock | undefined => {
  const system = load()
  if (system === undefined) return undefined
  const { errnoAt, ffi, recvmmsg } = system
  // An ArrayBuffer never moves, and lives as long as the views that are returned; a WebAssembly memory that may not grow is one as well.
  const memory = new ArrayBuffer(HEADERS_ROOM)
  const view = new DataView(memory)
  const words = new Uint32Array(memory)
  const start = ffi.getRawPointer(memory)
  const roomStart = ffi.getRawPointer(room)
  const slots: Array<Uint8Array> = []
  for (let i = 0; i < BATCH; i++) {
    const header = i * HEADER
    const vector = VECTORS_AT + i * VECTOR
    const slot = i * RECEIVED_STRIDE
    view.setBigUint64(header + HEADER_NAME, start + BigInt(NAMES_AT + i * NAME), true)
    view.setUint32(header + HEADER_NAME_LENGTH, NAME_LENGTH, true)
    view.setBigUint64(header + HEADER_VECTOR, start + BigInt(vector), true)
    view.setBigUint64(header + HEADER_VECTORS, 1n, true)
    view.setBigUint64(vector, roomStart + BigInt(slot), true)
    view.setBigUint64(vector + 8, BigInt(RECEIVED_STRIDE), true)
    slots.push(room.subarray(slot, slot))
  }
  const textAt = makeSockaddrText(memory)
  let before = 0
  return {
    receive: (fd) => {
      // The kernel put the lengths of the last senders' addresses there.
      for (let i = 0; i < before; i++) words[(i * HEADER + HEADER_NAME_LENGTH) >> 2] = NAME_LENGTH
      const count = recvmmsg(fd, start, BATCH, MSG_DONTWAIT, 0n)
      before = Math.max(0, count)
      if (count >= 0) return count
      const error = ffi.getInt32(errnoAt)
      return error === EAGAIN || error === EINTR ? 0 : -error
    },
    datagram: (i) => {
      const length = words[(i * HEADER + HEADER_LENGTH) >> 2]!
      const slot = slots[i]!
      if (slot.length === length) return slot
      const at = i * RECEIVED_STRIDE
      const other = room.subarray(at, at + length)
      slots[i] = other
      return other
    },
    from: (i) => textAt(NAMES_AT + i * NAME),
    fromPort: (i) => view.getUint16(NAMES_AT + i * NAME + 2)
  }
}
