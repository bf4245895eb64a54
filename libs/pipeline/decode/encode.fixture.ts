/** Encoders of NetFlow and IPFIX, for tests and measurements only: they build datagrams the way exporters do. */

export type Field = readonly [enterprise: number, element: number, length: number]

export interface Bytes {
  readonly u8: (value: number) => Bytes
  readonly u16: (value: number) => Bytes
  readonly u32: (value: number) => Bytes
  readonly u64: (value: number | bigint) => Bytes
  readonly raw: (octets: Uint8Array | ReadonlyArray<number>) => Bytes
  readonly zeros: (count: number) => Bytes
  readonly done: () => Uint8Array<ArrayBuffer>
}

/** Big-endian writer. */
export const bytes = (): Bytes => {
  const all: Array<number> = []
  const self: Bytes = {
    u8: (value) => {
      all.push(value & 255)
      return self
    },
    u16: (value) => self.u8(value >>> 8).u8(value),
    u32: (value) => self.u16(Math.floor(value / 65536)).u16(value % 65536),
    u64: (value) => {
      const big = BigInt(value)
      return self.u32(Number(big >> 32n)).u32(Number(big & 0xffffffffn))
    },
    raw: (octets) => {
      for (const octet of octets) all.push(octet & 255)
      return self
    },
    zeros: (count) => self.raw(new Array<number>(count).fill(0)),
    done: () => Uint8Array.from(all)
  }
  return self
}

/** A whole number in `length` octets. */
export const uint = (value: number | bigint, length: number): ReadonlyArray<number> => {
  const octets: Array<number> = []
  let rest = BigInt(value)
  for (let i = 0; i < length; i++) {
    octets.unshift(Number(rest & 255n))
    rest >>= 8n
  }
  return octets
}

export const ipv4 = (text: string): number => text.split(".").reduce((all, part) => all * 256 + Number(part), 0)

const set = (id: number, body: Uint8Array | ReadonlyArray<number>, pad: number): Uint8Array => {
  const padding = pad === 0 ? 0 : (pad - ((body.length + 4) % pad)) % pad
  return bytes()
    .u16(id)
    .u16(body.length + 4 + padding)
    .raw(body)
    .zeros(padding)
    .done()
}

/** A data set of already encoded records, padded to four octets. */
export const dataSet = (id: number, ...records: ReadonlyArray<Uint8Array | ReadonlyArray<number>>): Uint8Array =>
  set(id, records.reduce((all, record) => all.raw(record), bytes()).done(), 4)

export interface Header9 {
  readonly sequence?: number
  readonly uptime?: number
  readonly seconds?: number
  readonly sourceId?: number
  readonly count?: number
}

export const EXPORT_SECONDS = 1_700_000_000
export const UPTIME = 3_600_000

export const netflow9 = (header: Header9, ...sets: ReadonlyArray<Uint8Array>): Uint8Array =>
  sets
    .reduce(
      (all, one) => all.raw(one),
      bytes()
        .u16(9)
        .u16(header.count ?? sets.length)
        .u32(header.uptime ?? UPTIME)
        .u32(header.seconds ?? EXPORT_SECONDS)
        .u32(header.sequence ?? 0)
        .u32(header.sourceId ?? 1)
    )
    .done()

export const template9 = (id: number, fields: ReadonlyArray<Field>): Uint8Array =>
  set(0, fields.reduce((all, [, element, length]) => all.u16(element).u16(length), bytes().u16(id).u16(fields.length)).done(), 0)

export const optionsTemplate9 = (id: number, scope: ReadonlyArray<Field>, fields: ReadonlyArray<Field>): Uint8Array =>
  set(
    1,
    [...scope, ...fields]
      .reduce(
        (all, [, element, length]) => all.u16(element).u16(length),
        bytes()
          .u16(id)
          .u16(scope.length * 4)
          .u16(fields.length * 4)
      )
      .done(),
    4
  )

export interface Header10 {
  readonly sequence?: number
  readonly seconds?: number
  readonly domain?: number
  readonly length?: number
}

export const ipfix = (header: Header10, ...sets: ReadonlyArray<Uint8Array>): Uint8Array =>
  sets
    .reduce(
      (all, one) => all.raw(one),
      bytes()
        .u16(10)
        .u16(header.length ?? sets.reduce((sum, one) => sum + one.length, 16))
        .u32(header.seconds ?? EXPORT_SECONDS)
        .u32(header.sequence ?? 0)
        .u32(header.domain ?? 1)
    )
    .done()

const specifier = (all: Bytes, [enterprise, element, length]: Field): Bytes =>
  enterprise === 0
    ? all.u16(element).u16(length)
    : all
        .u16(element | 0x8000)
        .u16(length)
        .u32(enterprise)

export const template10 = (id: number, fields: ReadonlyArray<Field>): Uint8Array =>
  set(2, fields.reduce(specifier, bytes().u16(id).u16(fields.length)).done(), 0)

export const optionsTemplate10 = (id: number, scope: ReadonlyArray<Field>, fields: ReadonlyArray<Field>): Uint8Array =>
  set(
    3,
    [...scope, ...fields]
      .reduce(
        specifier,
        bytes()
          .u16(id)
          .u16(scope.length + fields.length)
          .u16(scope.length)
      )
      .done(),
    0
  )

/** Withdrawal of one template; id 2 or 3 of all. */
export const withdrawal10 = (id: number, options = false): Uint8Array => set(options ? 3 : 2, bytes().u16(id).u16(0).done(), 0)

export interface Record5 {
  readonly source: number
  readonly destination: number
  readonly nextHop?: number
  readonly input: number
  readonly output: number
  readonly packets: number
  readonly octets: number
  readonly first: number
  readonly last: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly tcpFlags: number
  readonly protocol: number
  readonly sourceAs?: number
  readonly destinationAs?: number
}

export interface Header5 {
  readonly count?: number
  readonly sequence?: number
  readonly uptime?: number
  readonly seconds?: number
  readonly engine?: number
  readonly sampling?: number
}

export const netflow5 = (header: Header5, records: ReadonlyArray<Record5>): Uint8Array =>
  records
    .reduce(
      (all, r) =>
        all
          .u32(r.source)
          .u32(r.destination)
          .u32(r.nextHop ?? 0)
          .u16(r.input)
          .u16(r.output)
          .u32(r.packets)
          .u32(r.octets)
          .u32(r.first)
          .u32(r.last)
          .u16(r.sourcePort)
          .u16(r.destinationPort)
          .u8(0)
          .u8(r.tcpFlags)
          .u8(r.protocol)
          .u8(0)
          .u16(r.sourceAs ?? 0)
          .u16(r.destinationAs ?? 0)
          .u8(24)
          .u8(24)
          .u16(0),
      bytes()
        .u16(5)
        .u16(header.count ?? records.length)
        .u32(header.uptime ?? UPTIME)
        .u32(header.seconds ?? EXPORT_SECONDS)
        .u32(0)
        .u32(header.sequence ?? 0)
        .u16(header.engine ?? 0)
        .u16(header.sampling ?? 0)
    )
    .done()

/** Small deterministic random numbers (xorshift32), so that a failing case can be named by its seed. */
export const seeded = (seed: number) => {
  let state = seed >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>>= 0)
  }
  for (let i = 0; i < 8; i++) next()
  return {
    u32: next,
    below: (bound: number): number => next() % bound,
    pick: <A>(values: ReadonlyArray<A>): A => values[next() % values.length]!,
    octets: (count: number): Uint8Array => Uint8Array.from({ length: count }, () => next() & 255)
  }
}
export type Random = ReturnType<typeof seeded>
