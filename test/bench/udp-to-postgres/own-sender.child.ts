/**
 * The sender where there is none in C: the demo's encoders fill a pool of datagrams, which goes round with its header times renewed.
 * Arguments: format, port, records a second, records, conversations. Prints what it sent as one JSON line.
 */
import { createSocket } from "node:dgram"
import { makeIpfix } from "../../../apps/appliance/demo/encode-ipfix.ts"
import { makeNetflow5 } from "../../../apps/appliance/demo/encode-netflow5.ts"
import { makeNetflow9 } from "../../../apps/appliance/demo/encode-netflow9.ts"
import { makeSflow } from "../../../apps/appliance/demo/encode-sflow.ts"
import { randomFrom } from "../../rig/flow-records.ts"
import type { Format } from "./Sender.ts"

const [format, port, rate, wanted, conversations] = [
  process.argv[2] as Format,
  ...process.argv.slice(3).map(Number)
] as unknown as readonly [Format, number, number, number, number]

const random = randomFrom(1)
const nowMs = Date.now()
const bootMs = nowMs - 3_600_000
const ports = [443, 80, 5432, 3306, 22, 53]
const address = (value: number) => Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)

/** Each conversation once, then as often again; one end is a client of 10.1.0.0/16, the other a server of 172.16.0.0/16. */
const flow = (n: number) => {
  const packets = 1 + random(60)
  return {
    source: address(0x0a01_0000 + (n % 5000)),
    destination: address(0xac10_0000 + Math.floor(n / 5000) * 37),
    sourcePort: 32_768 + random(28_000),
    destinationPort: ports[n % ports.length]!,
    protocol: n % ports.length === 5 ? 17 : 6,
    tcpFlags: 0x1b,
    packets,
    bytes: packets * (64 + random(1300)),
    reversePackets: 0,
    reverseBytes: 0,
    reverseFlags: 0,
    startMs: nowMs - 2000 - random(20_000),
    endMs: nowMs - 1000,
    input: 1 + (n & 31),
    output: 2
  }
}

const encoders = {
  netflow5: makeNetflow5({ bootMs }),
  netflow9: makeNetflow9({ bootMs, templateEveryMs: Number.POSITIVE_INFINITY }),
  ipfix: makeIpfix({ templateEveryMs: Number.POSITIVE_INFINITY }),
  sflow5: makeSflow({ bootMs, agent: address(0x7f00_0001), sampling: 1000 })
}

interface Chunk {
  readonly datagrams: ReadonlyArray<Uint8Array>
  readonly records: number
  readonly packets: number
}

const CHUNK = 210
const chunks: Array<Chunk> = []
for (let n = 0; n < conversations * 2; n += CHUNK) {
  const flows = Array.from({ length: CHUNK }, (_, i) => flow((n + i) % conversations))
  if (format === "sflow5") {
    const sampled = flows.map((one) => ({ ...one, bytes: 64 + random(1400) }))
    chunks.push({ datagrams: encoders.sflow5.encode(sampled, [], nowMs), records: CHUNK, packets: CHUNK })
  } else {
    const packets = flows.reduce((sum, one) => sum + one.packets, 0)
    chunks.push({ datagrams: encoders[format].encode(flows, nowMs), records: CHUNK, packets })
  }
}

/** Where the header has its seconds; sFlow has none. */
const secondsAt = { netflow5: 8, netflow9: 8, ipfix: 4, sflow5: -1 }[format]
const socket = createSocket("udp4")
await new Promise<void>((done) => socket.connect(port, "127.0.0.1", done))

const send = async ({ datagrams }: Chunk): Promise<void> => {
  const seconds = Math.floor(Date.now() / 1000)
  await Promise.all(
    datagrams.map(
      (datagram) =>
        new Promise<void>((done, fail) => {
          if (secondsAt >= 0) new DataView(datagram.buffer, datagram.byteOffset).setUint32(secondsAt, seconds)
          socket.send(datagram, (error) => (error === null ? done() : fail(error)))
        })
    )
  )
}

let records = 0
let packets = 0
let datagrams = 0
const began = performance.now()
for (let at = 0; records < wanted; at = (at + 1) % chunks.length) {
  const chunk = chunks[at]!
  await send(chunk)
  records += chunk.records
  packets += chunk.packets
  datagrams += chunk.datagrams.length
  const early = (records / rate) * 1000 - (performance.now() - began)
  if (early > 1) await new Promise((done) => setTimeout(done, early))
}
const seconds = (performance.now() - began) / 1000
socket.close()
console.log(JSON.stringify({ format, datagrams, records, packets, seconds }))
