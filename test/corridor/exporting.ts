/** Exporters for whole appliances: exchanges between a client and a server, said in each protocol and sent over real UDP. */
import { createSocket } from "node:dgram"
import { onTestFinished } from "vitest"
import type { ExportRecord } from "../../apps/appliance/demo/ExportRecord.ts"
import { makeIpfix } from "../../apps/appliance/demo/encode-ipfix.ts"
import { makeNetflow5 } from "../../apps/appliance/demo/encode-netflow5.ts"
import { makeNetflow9 } from "../../apps/appliance/demo/encode-netflow9.ts"
import { makeSflow } from "../../apps/appliance/demo/encode-sflow.ts"
import { sleep } from "./Appliance.ts"

export interface Exchange {
  readonly client: string
  readonly clientPort: number
  readonly server: string
  readonly port: number
  readonly protocol: number
  readonly packets: number
  readonly bytes: number
  readonly backPackets: number
  readonly backBytes: number
}

const octets = (address: string) => Uint8Array.from(address.split(".").map(Number))
const SYN_ACK_PSH_FIN = 0x1b

/** As many connections of one dependency, each from a port of its own. */
export const exchanges = (
  count: number,
  of: Omit<Exchange, "clientPort" | "packets" | "bytes" | "backPackets" | "backBytes"> & Partial<Exchange>,
  firstPort = 40_000
): ReadonlyArray<Exchange> =>
  Array.from({ length: count }, (_, i) => ({
    packets: 10,
    bytes: 1500,
    backPackets: 20,
    backBytes: 24_000,
    ...of,
    clientPort: firstPort + i
  }))

const forward = (e: Exchange, nowMs: number): ExportRecord => ({
  source: octets(e.client),
  destination: octets(e.server),
  sourcePort: e.clientPort,
  destinationPort: e.port,
  protocol: e.protocol,
  tcpFlags: e.protocol === 6 ? SYN_ACK_PSH_FIN : 0,
  packets: e.packets,
  bytes: e.bytes,
  reversePackets: 0,
  reverseBytes: 0,
  reverseFlags: 0,
  startMs: nowMs - 1000,
  endMs: nowMs - 10,
  input: 1,
  output: 2
})

/** One record a direction. */
export const oneWay = (e: Exchange, nowMs: number): ReadonlyArray<ExportRecord> => {
  const there = forward(e, nowMs)
  return [
    there,
    {
      ...there,
      source: there.destination,
      destination: there.source,
      sourcePort: e.port,
      destinationPort: e.clientPort,
      packets: e.backPackets,
      bytes: e.backBytes,
      startMs: nowMs - 990,
      input: 2,
      output: 1
    }
  ]
}

/** Both directions in one record. */
const biflow = (e: Exchange, nowMs: number): ExportRecord => {
  const there = forward(e, nowMs)
  return { ...there, reversePackets: e.backPackets, reverseBytes: e.backBytes, reverseFlags: there.tcpFlags }
}

export type Protocol = "netflow5" | "netflow9" | "ipfix" | "sflow5"
export type Encode = (exchanges: ReadonlyArray<Exchange>, nowMs: number) => ReadonlyArray<Uint8Array>

/** Encoders that go on numbering over all their calls. */
export const encoders = {
  netflow5: (sampling = 1): Encode => {
    const { encode } = makeNetflow5({ bootMs: Date.now() - 3_600_000, sampling })
    return (list, now) =>
      encode(
        list.flatMap((e) => oneWay(e, now)),
        now
      )
  },
  netflow9: (sampling = 1, templateEveryMs = 20_000): Encode => {
    const { encode } = makeNetflow9({ bootMs: Date.now() - 3_600_000, sourceId: 7, sampling, templateEveryMs })
    return (list, now) =>
      encode(
        list.flatMap((e) => oneWay(e, now)),
        now
      )
  },
  ipfix: (sampling = 1, templateEveryMs = 20_000): Encode => {
    const { encode } = makeIpfix({ domain: 9, sampling, templateEveryMs })
    return (list, now) =>
      encode(
        list.map((e) => biflow(e, now)),
        now
      )
  },
  /** Every packet of an exchange is one sample, of equal size. */
  sflow5: (sampling = 1, agent = "10.255.0.4"): Encode => {
    const { encode } = makeSflow({ bootMs: Date.now() - 3_600_000, agent: octets(agent), sampling })
    return (list, now) =>
      encode(
        list.flatMap((e) =>
          oneWay(e, now).flatMap((r, way) =>
            Array.from({ length: r.packets }, (_, i) => ({
              ...r,
              bytes: r.bytes / r.packets,
              tcpFlags: i > 0 || e.protocol !== 6 ? 0x10 : way === 0 ? 0x02 : 0x12
            }))
          )
        ),
        [],
        now
      )
  }
} satisfies Record<Protocol, (...options: ReadonlyArray<never>) => Encode>

export interface Sender {
  readonly send: (datagrams: ReadonlyArray<Uint8Array>, port: number) => Promise<void>
  /** Datagrams the system took. */
  readonly sent: () => number
  readonly refused: () => number
  readonly close: () => void
}

/** A socket with an address of its own, as every exporter has. */
export const openSender = (address: string): Promise<Sender> =>
  new Promise((done, failed) => {
    const socket = createSocket("udp4")
    let sent = 0
    let refused = 0
    let open = true
    const close = () => {
      if (open) socket.close()
      open = false
    }
    onTestFinished(close)
    socket.once("error", failed)
    socket.bind(0, address, () => {
      socket.off("error", failed)
      socket.on("error", () => undefined)
      done({
        send: (datagrams, port) =>
          Promise.all(
            datagrams.map(
              (datagram) =>
                new Promise<void>((ready) => {
                  // the test has ended meanwhile
                  if (!open) return ready()
                  socket.send(datagram, port, "127.0.0.1", (error) => {
                    if (error === null) sent++
                    else refused++
                    ready()
                  })
                })
            )
          ).then(() => undefined),
        sent: () => sent,
        refused: () => refused,
        close
      })
    })
  })

export interface Traffic {
  /** Flow records sent so far, and their octets and packets. */
  readonly records: () => number
  readonly bytes: () => number
  readonly packets: () => number
  readonly datagrams: () => number
  readonly stop: () => Promise<void>
}

/** A steady exporter: so many exchanges every 50 ms until it is stopped, none the same connection as another. */
export const steady = async (
  protocol: "netflow5" | "netflow9" | "ipfix",
  port: number,
  options: { readonly address?: string; readonly each?: number; readonly encode?: Encode } = {}
): Promise<Traffic> => {
  const { address = "127.0.77.1", each = 20 } = options
  const sender = await openSender(address)
  const encode = options.encode ?? encoders[protocol]()
  let [records, bytes, packets, turn, stopped] = [0, 0, 0, 0, false]
  const play = async () => {
    while (!stopped) {
      const list = exchanges(
        each,
        { client: `10.1.0.${1 + (turn % 50)}`, server: `10.2.0.${1 + (turn % 5)}`, port: 443, protocol: 6 },
        20_000 + ((turn * each) % 40_000)
      )
      turn++
      await sender.send(encode(list, Date.now()), port)
      for (const e of list) {
        records += protocol === "ipfix" ? 1 : 2
        bytes += e.bytes + e.backBytes
        packets += e.packets + e.backPackets
      }
      await sleep(50)
    }
  }
  const playing = play()
  const stop = async () => {
    stopped = true
    await playing
  }
  onTestFinished(stop)
  return { records: () => records, bytes: () => bytes, packets: () => packets, datagrams: sender.sent, stop }
}
