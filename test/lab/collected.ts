/** What the collector's decoders read from an exporter's datagrams, for comparison with what ran. */
import { createSocket } from "node:dgram"
import { Effect, type Scope } from "effect"
import { ipv4Text, ipv6Text } from "#domain/Address.ts"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { FAMILY_IPV4, makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { type LabDependency, tailPorts } from "./traffic.ts"

export interface Collector {
  readonly port: number
  readonly datagrams: ReadonlyArray<Uint8Array>
}

/** A plain socket that keeps what it hears. */
export const collect: Effect.Effect<Collector, never, Scope.Scope> = Effect.acquireRelease(
  Effect.callback<{ readonly socket: ReturnType<typeof createSocket>; readonly datagrams: Array<Uint8Array> }>((resume) => {
    const datagrams: Array<Uint8Array> = []
    const socket = createSocket("udp4", (datagram) => datagrams.push(new Uint8Array(datagram)))
    socket.bind(0, () => resume(Effect.succeed({ socket, datagrams })))
  }),
  ({ socket }) => Effect.sync(() => socket.close())
).pipe(Effect.map(({ socket, datagrams }) => ({ port: socket.address().port, datagrams })))

export interface Row {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
  readonly bytes: number
  readonly packets: number
  readonly reverseBytes: number
  readonly reversePackets: number
  readonly sampling: number
  /** 0 where it came in, 1 where it went out, 255 not said. */
  readonly direction: number
}

export interface Reading {
  readonly rows: ReadonlyArray<Row>
  readonly complaints: number
  /** Data sets that never met their template. */
  readonly waiting: number
  /** Datagrams whose sequence number is not where the one before said it would be. */
  readonly gaps: number
}

export const read = (datagrams: ReadonlyArray<Uint8Array>, exporterAddress: string): Reading => {
  const batch = makeFlowBatch()
  const rows: Array<Row> = []
  const drain = () => {
    for (let i = 0; i < batch.length; i++) {
      const four = batch.family[i] === FAMILY_IPV4
      rows.push({
        source: four ? ipv4Text(batch.source[i]!) : ipv6Text(batch.ipv6, i * 32),
        destination: four ? ipv4Text(batch.destination[i]!) : ipv6Text(batch.ipv6, i * 32 + 16),
        sourcePort: batch.sourcePort[i]!,
        destinationPort: batch.destinationPort[i]!,
        protocol: batch.protocol[i]!,
        bytes: batch.bytes[i]!,
        packets: batch.packets[i]!,
        reverseBytes: batch.reverseBytes[i]!,
        reversePackets: batch.reversePackets[i]!,
        sampling: Math.max(1, batch.sampling[i]!),
        direction: batch.direction[i]!
      })
    }
    batch.length = 0
  }
  const decoder = makeDecoder({ templates: makeTemplateCache(), full: drain })
  let complaints = 0
  let gaps = 0
  let next: number | undefined
  for (const datagram of datagrams) {
    const outcome = decoder.decode(datagram, datagram.length, 0, exporterAddress, 0, batch)
    complaints += outcome.complaints
    if (next !== undefined && outcome.sequence !== next) gaps++
    next = outcome.sequenceStep < 0 ? undefined : outcome.sequence + outcome.sequenceStep
    drain()
  }
  return { rows, complaints, waiting: decoder.held.sets, gaps }
}

export interface Account {
  readonly dependency: LabDependency
  readonly clientPorts: ReadonlySet<number>
  readonly bytesToServer: number
  readonly bytesToClient: number
}

/** The tail is there to push the rest out; it is not asserted. */
export const withoutTail = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const isTail = (port: number) => port >= tailPorts.first && port <= tailPorts.last
  return rows.filter((row) => !isTail(row.sourcePort) && !isTail(row.destinationPort))
}

/**
 * An exporter that watches the way in and the way out says everything twice; once is enough. The direction alone does not tell:
 * softflowd says 1 for the answers it sees.
 */
export const comingIn = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const key = (row: Row) => `${row.source} ${row.sourcePort} ${row.destination} ${row.destinationPort} ${row.protocol}`
  const incoming = new Set(rows.filter((row) => row.direction === 0).map(key))
  return rows.filter((row) => row.direction !== 1 || !incoming.has(key(row)))
}

/** Rows put under the dependency that ran; and those that are under none. */
export const account = (
  rows: ReadonlyArray<Row>,
  dependencies: ReadonlyArray<LabDependency>
): { readonly found: ReadonlyArray<Account>; readonly strays: ReadonlyArray<Row> } => {
  const found = dependencies.map((dependency) => ({
    dependency,
    clientPorts: new Set<number>(),
    bytesToServer: 0,
    bytesToClient: 0
  }))
  const strays: Array<Row> = []
  for (const row of rows) {
    if (row.protocol !== 6 && row.protocol !== 17) continue
    const of = (client: string, server: string, port: number) =>
      found.find(
        ({ dependency: d }) => d.client === client && d.server === server && d.port === port && d.protocol === row.protocol
      )
    const forward = of(row.source, row.destination, row.destinationPort)
    const backward = of(row.destination, row.source, row.sourcePort)
    const one = forward ?? backward
    if (one === undefined) {
      strays.push(row)
      continue
    }
    one.clientPorts.add(forward === undefined ? row.destinationPort : row.sourcePort)
    const [there, back] = forward === undefined ? [row.reverseBytes, row.bytes] : [row.bytes, row.reverseBytes]
    one.bytesToServer += there * row.sampling
    one.bytesToClient += back * row.sampling
  }
  return { found, strays }
}
