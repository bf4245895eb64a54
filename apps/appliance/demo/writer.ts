/** Writes big-endian fields one after another into a buffer that grows on demand. */
export interface Writer {
  readonly length: () => number
  readonly u8: (value: number) => void
  readonly u16: (value: number) => void
  readonly u32: (value: number) => void
  readonly u64: (value: number) => void
  readonly bytes: (value: Uint8Array) => void
  readonly zeros: (count: number) => void
  /** Zeros up to the next multiple of four. */
  readonly align: () => void
  /** Overwrite what was written before: lengths and counts are known at the end. */
  readonly patch16: (at: number, value: number) => void
  readonly patch32: (at: number, value: number) => void
  readonly done: () => Uint8Array
}

export const makeWriter = (capacity = 2048): Writer => {
  let buffer = new Uint8Array(capacity)
  let view = new DataView(buffer.buffer)
  let length = 0
  const room = (count: number): number => {
    const at = length
    length += count
    if (length > buffer.length) {
      const larger = new Uint8Array(Math.max(length, buffer.length * 2))
      larger.set(buffer)
      buffer = larger
      view = new DataView(buffer.buffer)
    }
    return at
  }
  // `room` may replace the view, so it runs before the view is read
  return {
    length: () => length,
    u8: (value) => {
      const at = room(1)
      view.setUint8(at, value)
    },
    u16: (value) => {
      const at = room(2)
      view.setUint16(at, value)
    },
    u32: (value) => {
      const at = room(4)
      view.setUint32(at, value)
    },
    u64: (value) => {
      const at = room(8)
      view.setBigUint64(at, BigInt(Math.round(value)))
    },
    bytes: (value) => {
      const at = room(value.length)
      buffer.set(value, at)
    },
    zeros: (count) => {
      room(count)
    },
    align: () => {
      room((4 - (length & 3)) & 3)
    },
    patch16: (at, value) => view.setUint16(at, value),
    patch32: (at, value) => view.setUint32(at, value),
    done: () => buffer.slice(0, length)
  }
}
