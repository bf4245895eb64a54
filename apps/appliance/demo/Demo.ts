/** Plays the demo datacenter at a flow collector, in real time, as UDP datagrams of eight exporters. */
import { createSocket, type Socket } from "node:dgram"
import { isIPv6 } from "node:net"
import { Clock, Effect, type Scope } from "effect"
import { type DemoExporter, makeExporters } from "./exporters.ts"
import { makeTraffic } from "./flows.ts"
import { makeWorld, type World } from "./world.ts"

export interface DemoOptions {
  /** Address of the collector. On loopback every exporter sends from an address of its own (127.0.1.1 …). */
  readonly host: string
  readonly ports: { readonly netflow: number; readonly ipfix: number; readonly sflow: number }
  /** The same seed plays the same conversations. */
  readonly seed?: number
  readonly account?: DemoAccount
}

/** What was sent, by exporter; updated as it happens. */
export interface DemoAccount {
  readonly exporters: Map<
    string,
    { address: string; protocol: string; sampling: number; datagrams: number; bytes: number; records: number; refused: number }
  >
  conversations: number
  probes: number
  startedMs: number
}

export const makeDemoAccount = (): DemoAccount => ({ exporters: new Map(), conversations: 0, probes: 0, startedMs: 0 })

const TICK = "250 millis"
/** After a pause (a laptop asleep) the day goes on from now; it is not caught up in one flood. */
const LONGEST_STEP_MS = 5000

/** Never returns; interrupt it to stop. A datagram the system refuses is counted, not retried: exporters do not either. */
export const demo = ({ ports, seed = 1, account = makeDemoAccount(), ...to }: DemoOptions): Effect.Effect<never> =>
  Effect.scoped(
    Effect.gen(function* () {
      const host = to.host === "localhost" ? "127.0.0.1" : to.host
      const world = makeWorld()
      const startMs = yield* Clock.currentTimeMillis
      account.startedMs = startMs
      const senders = yield* Effect.forEach(makeExporters(world, startMs, seed), (exporter) =>
        sender(exporter, host, ports, account)
      )
      yield* play(world, startMs, seed, senders, account)
      return yield* Effect.never
    })
  )

interface Sender {
  readonly exporter: DemoExporter
  readonly flush: (nowMs: number) => void
}

const play = Effect.fnUntraced(function* (
  world: World,
  startMs: number,
  seed: number,
  senders: ReadonlyArray<Sender>,
  account: DemoAccount
) {
  let began = startMs
  let last = startMs
  let traffic = makeTraffic(world, began, seed)
  for (;;) {
    const now = yield* Clock.currentTimeMillis
    if (now - last > LONGEST_STEP_MS || now < last) {
      began = now
      traffic = makeTraffic(world, began, seed)
    }
    last = now
    for (const seen of traffic.until(now)) {
      if (seen.dependency === null) account.probes++
      else account.conversations++
      for (const { exporter } of senders) exporter.observe(seen)
    }
    for (const { flush } of senders) flush(now)
    yield* Effect.sleep(TICK)
  }
})

const sender = Effect.fnUntraced(function* (
  exporter: DemoExporter,
  host: string,
  ports: DemoOptions["ports"],
  account: DemoAccount
): Effect.fn.Return<Sender, never, Scope.Scope> {
  const six = isIPv6(host)
  const socket = yield* Effect.acquireRelease(
    open(six ? "udp6" : "udp4", host.startsWith("127.") ? exporter.address : undefined),
    (opened) => Effect.sync(() => opened.close())
  )
  const port = exporter.protocol === "sflow5" ? ports.sflow : exporter.protocol === "ipfix" ? ports.ipfix : ports.netflow
  const own = {
    address: exporter.address,
    protocol: exporter.protocol,
    sampling: exporter.sampling,
    datagrams: 0,
    bytes: 0,
    records: 0,
    refused: 0
  }
  account.exporters.set(exporter.name, own)
  return {
    exporter,
    flush: (nowMs) => {
      for (const datagram of exporter.datagrams(nowMs)) {
        own.datagrams++
        own.bytes += datagram.length
        socket.send(datagram, port, host, (refused) => {
          if (refused !== null) own.refused++
        })
      }
      own.records = exporter.records()
    }
  }
})

/** Where the machine has no 127.0.1.x (only 127.0.0.1 on loopback), any address must do. */
const open = (type: "udp4" | "udp6", address: string | undefined): Effect.Effect<Socket> => {
  const bound = (from: string | undefined) =>
    Effect.callback<Socket, Error>((resume) => {
      const socket = createSocket(type)
      const failed = (cause: Error) => {
        socket.close()
        resume(Effect.fail(cause))
      }
      socket.once("error", failed)
      socket.bind(0, from, () => {
        socket.off("error", failed)
        // Errors of single sends arrive at their callbacks
        socket.on("error", () => undefined)
        resume(Effect.succeed(socket))
      })
    })
  return bound(address).pipe(
    Effect.catch(() => bound(undefined)),
    Effect.orDie
  )
}
