/** NetFlow v5 at a steady rate, far beyond what encoding each record would allow: datagrams are made once and numbered anew as they go. */
import { createSocket } from "node:dgram"
import { onTestFinished } from "vitest"
import { sleep } from "./Appliance.ts"
import { encoders, exchanges } from "./exporting.ts"

export interface Blast {
  readonly datagrams: () => number
  readonly records: () => number
  /** Records of a datagram, and octets of a record: of each the same. */
  readonly recordsEach: number
  readonly bytesEach: number
  readonly stop: () => Promise<void>
}

const EVERY_MS = 20

/** `conversations`: pairs of a client and a server, each seen in both directions, in turn. */
export const blast = async (
  port: number,
  options: {
    readonly recordsPerSecond: number
    readonly conversations: number
    readonly address?: string
    readonly server?: string
  }
): Promise<Blast> => {
  const { recordsPerSecond, conversations, address = "127.0.78.1", server = "10.200.0.1" } = options
  const recordsEach = 30
  const bytesEach = 1000
  const encode = encoders.netflow5()
  const made = Date.now()
  const datagrams: Array<Buffer> = []
  for (let first = 0; first < conversations; first += recordsEach / 2) {
    const list = Array.from({ length: recordsEach / 2 }, (_, i) => {
      const n = (first + i) % conversations
      const client = `10.${1 + ((n >> 16) & 31)}.${(n >> 8) & 255}.${n & 255}`
      const [exchange] = exchanges(1, { client, server, port: 443, protocol: 6 })
      return { ...exchange!, packets: 10, bytes: bytesEach, backPackets: 10, backBytes: bytesEach }
    })
    datagrams.push(...encode(list, made).map((datagram) => Buffer.from(datagram)))
  }
  const socket = createSocket({ type: "udp4", sendBufferSize: 1 << 20 })
  await new Promise<void>((done, failed) => {
    socket.once("error", failed)
    socket.bind(0, address, done)
  })
  socket.connect(port, "127.0.0.1")
  await new Promise((done) => socket.once("connect", done))
  socket.on("error", () => undefined)
  let [sent, running] = [0, true]
  const send = (now: number) =>
    new Promise<void>((done) => {
      const datagram = datagrams[sent % datagrams.length]!
      // the exporter's clock goes on, its uptime stands still: so do the times of the records against now
      datagram.writeUInt32BE(Math.floor(now / 1000), 8)
      datagram.writeUInt32BE((now % 1000) * 1_000_000, 12)
      datagram.writeUInt32BE((sent * recordsEach) >>> 0, 16)
      sent++
      // a port that is closed already refuses what nobody needs any more
      socket.send(datagram, () => done())
    })
  const play = async () => {
    const began = Date.now()
    while (running) {
      const due = Math.floor(((Date.now() - began) / 1000) * (recordsPerSecond / recordsEach))
      // a pause of this process is made up for in pieces, not in one burst
      for (let i = 0; i < 200 && sent < due; i++) await send(Date.now())
      await sleep(sent < due ? 1 : EVERY_MS)
    }
  }
  const playing = play()
  const stop = async () => {
    running = false
    await playing
  }
  onTestFinished(async () => {
    await stop()
    socket.close()
  })
  return { datagrams: () => sent, records: () => sent * recordsEach, recordsEach, bytesEach, stop }
}
