/** Plays worlds at flow ports in real time: packets pass exporters, exporters send datagrams, and the truth is kept of both. */
import { createSocket, type Socket } from "node:dgram"
import { Clock, Effect, type Scope } from "effect"
import { seeded } from "../demo/random.ts"
import { type Export, type Exporter, makeExporter } from "./Exporter.ts"
import type { Packets } from "./traffic.ts"
import type { Point, World } from "./World.ts"

export interface PlayOptions {
  readonly worlds: ReadonlyArray<World>
  readonly ports: { readonly netflow: number; readonly ipfix: number; readonly sflow: number }
  readonly seed: number
  readonly durationMs: number
  /** About once a second, ms since the start. */
  readonly progress: (sinceMs: number) => void
}

export interface Played {
  datagrams: number
  records: number
  /** Kept back on purpose, in datagrams. */
  lost: number
  /** Not taken by the system. */
  refused: number
}

const TICK = "100 millis"
const HOST = "127.0.0.1"

interface Stage {
  readonly exporter: Exporter
  readonly port: number
  /** By life and number. */
  readonly sockets: Map<string, Socket>
}

/** Ends when everything that was metered has left. */
export const play = Effect.fnUntraced(function* ({ durationMs, ports, progress, seed, worlds }: PlayOptions) {
  const played: Played = { datagrams: 0, records: 0, lost: 0, refused: 0 }
  const startMs = yield* Clock.currentTimeMillis
  const random = seeded(seed ^ 0x0acc)
  const stages = new Map<string, Stage>()
  for (const { exporters } of worlds) {
    for (const options of exporters) {
      const port = options.protocol === "sflow5" ? ports.sflow : options.protocol === "ipfix" ? ports.ipfix : ports.netflow
      stages.set(options.name, {
        exporter: makeExporter(options, startMs, seeded(random.whole(0, 2 ** 31))),
        port,
        sockets: new Map()
      })
    }
  }
  const passing = worlds.map((world) => ({ world, next: 0 }))
  let leaving: Array<{ readonly stage: Stage; readonly sent: Export }> = []
  let told = 0
  for (;;) {
    const now = yield* Clock.currentTimeMillis
    const since = now - startMs
    const over = since >= durationMs
    for (const one of passing) {
      const { packets, pointsOf } = one.world
      while (one.next < packets.length && (packets[one.next]!.at <= since || over)) {
        const packet = packets[one.next++]!
        witness(packet, pointsOf(packet.link), stages, startMs)
      }
    }
    for (const stage of stages.values()) for (const sent of stage.exporter.ready(now, over)) leaving.push({ stage, sent })
    const due = leaving.filter(({ sent }) => sent.leavesMs <= now)
    leaving = leaving.filter(({ sent }) => sent.leavesMs > now)
    yield* Effect.forEach(
      due.sort((a, b) => a.sent.leavesMs - b.sent.leavesMs),
      ({ sent, stage }) => send(stage, sent, played, now),
      {
        discard: true
      }
    )
    if (since - told >= 1000) {
      told = since
      progress(since)
    }
    if (over && leaving.length === 0 && [...stages.values()].every(({ exporter }) => exporter.waiting() === 0)) return played
    yield* Effect.sleep(TICK)
  }
})

/** A packet passes: every exporter on its way sees it, and the truth counts it once if anybody did. */
const witness = (packet: Packets, points: ReadonlyArray<Point>, stages: ReadonlyMap<string, Stage>, startMs: number): void => {
  const { toServer } = packet
  const watching = points.filter(({ only }) => only === undefined || (only === "requests") === toServer)
  const atMs = startMs + packet.at
  for (const { exporter, post, twice } of watching) {
    const { see } = stages.get(exporter)!.exporter
    see(packet, atMs, { input: toServer ? 1 : 2, output: toServer ? 2 : 1, post })
    if (twice === true) see(packet, atMs, { input: toServer ? 3 : 4, output: toServer ? 4 : 3 })
  }
  const { truth } = packet.link
  if (truth === null || watching.length === 0) return
  truth.packets += packet.count
  truth[toServer ? "bytesToServer" : "bytesToClient"] += packet.count * packet.bytes
}

const send = Effect.fnUntraced(function* (
  { exporter, port, sockets }: Stage,
  { contents, datagrams, life, lost, socket }: Export,
  played: Played,
  now: number
): Effect.fn.Return<void, never, Scope.Scope> {
  for (const { bytes, syn, truth } of contents) {
    if (truth === null) continue
    if (lost) truth.lostBytes += bytes
    else {
      if (truth.exportedMs === 0) truth.exportedMs = now
      if (syn) truth.syn = true
    }
  }
  if (lost) {
    played.lost += datagrams.length
    return
  }
  const name = `${life} ${socket}`
  let from = sockets.get(name)
  if (from === undefined) {
    from = yield* open(exporter.address)
    sockets.set(name, from)
  }
  const through = from
  played.records += contents.length
  for (const datagram of datagrams) {
    played.datagrams++
    yield* Effect.callback<void>((resume) =>
      through.send(datagram, port, HOST, (error) => {
        if (error !== null) played.refused++
        resume(Effect.void)
      })
    )
  }
})

const open = (address: string) =>
  Effect.acquireRelease(
    Effect.callback<Socket, Error>((resume) => {
      const socket = createSocket("udp4")
      socket.once("error", (cause) => resume(Effect.fail(cause)))
      socket.bind(0, address, () => {
        socket.removeAllListeners("error")
        // Errors of single sends arrive at their callbacks
        socket.on("error", () => undefined)
        resume(Effect.succeed(socket))
      })
    }).pipe(Effect.orDie),
    (socket) => Effect.sync(() => socket.close())
  )
