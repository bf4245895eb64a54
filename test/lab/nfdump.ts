/** A collector nobody here wrote: what nfcapd and sfcapd store of the same datagrams, printed by nfdump. */
import { createSocket } from "node:dgram"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { daemon, has, type LabFault, run } from "./processes.ts"

export const missingCollectors = (): ReadonlyArray<string> => ["nfcapd", "sfcapd", "nfdump"].filter((program) => !has(program))

/** Volumes of sFlow are multiplied by the sampling rate, as sfcapd does. */
export interface StoredFlow {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
  readonly packets: number
  readonly bytes: number
  readonly reversePackets: number
  readonly reverseBytes: number
}

/** Sends the datagrams, in order and from one address, to a collector of its own on loopback. */
export const storedBy = (
  program: "nfcapd" | "sfcapd",
  datagrams: ReadonlyArray<Uint8Array>
): Effect.Effect<ReadonlyArray<StoredFlow>, LabFault> =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "flowlens-nfdump-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const port = yield* freePort
    const collector = yield* daemon([program, "-w", folder, "-p", String(port), "-b", "127.0.0.1", "-t", "3600"], (output) =>
      Effect.succeed(output.includes("Startup"))
    )
    yield* send(datagrams, port)
    // It ends the file it writes when it is told to stop, and only after what its socket still holds was read
    yield* Effect.sleep("500 millis")
    yield* collector.stop("SIGTERM")
    const text = yield* run("nfdump", "-R", folder, "-q", "-N", "-6", "-o", "fmt:%sa %da %sp %dp %pr %pkt %byt %opkt %obyt")
    return text.split("\n").flatMap((line) => {
      const [source, destination, sourcePort, destinationPort, protocol, ...volumes] = line.trim().split(/\s+/)
      if (source === undefined || destination === undefined || volumes.length !== 4) return []
      const [packets = 0, bytes = 0, reversePackets = 0, reverseBytes = 0] = volumes.map(Number)
      const ports = { sourcePort: Number(sourcePort), destinationPort: Number(destinationPort) }
      return [
        { source, destination, ...ports, protocol: protocolNumber(protocol ?? ""), packets, bytes, reversePackets, reverseBytes }
      ]
    })
  }).pipe(Effect.scoped)

const protocolNumber = (text: string): number => ({ TCP: 6, UDP: 17, ICMP: 1, ICMP6: 58, "IPv6-ICMP": 58 })[text] ?? Number(text)

const freePort = Effect.callback<number>((resume) => {
  const socket = createSocket("udp4")
  socket.bind(0, "127.0.0.1", () => {
    const { port } = socket.address()
    socket.close(() => resume(Effect.succeed(port)))
  })
})

const send = (datagrams: ReadonlyArray<Uint8Array>, port: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const socket = createSocket("udp4")
    for (const [i, datagram] of datagrams.entries()) {
      yield* Effect.callback<void>((resume) => socket.send(datagram, port, "127.0.0.1", () => resume(Effect.void)))
      // Its receive buffer is the system's default
      if (i % 16 === 15) yield* Effect.sleep("15 millis")
    }
    socket.close()
  })
