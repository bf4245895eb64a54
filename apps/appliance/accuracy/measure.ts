/**
 * Brings up the flow corridor as the appliance has it (worker threads, UDP sockets, resolver, store) on a database of its own, plays worlds
 * at it, and reads the dependencies as the console does. Nothing of a customer's is touched: `config` names the folder, ports and database.
 */

import { createSocket } from "node:dgram"
import { Clock, Effect, Layer, SubscriptionRef } from "effect"
import { SqlClient } from "effect/sql"
import type { Dependency, DependencyDetail } from "#domain/Dependency.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { layerGround } from "../appliance.ts"
import type { Config } from "../config.ts"
import { layerFlow, type MakeCollapse } from "../corridors/flow.ts"
import type { FlowTotals } from "../flow/FlowLedger.ts"
import { FlowLine } from "../flow/FlowLine.ts"
import { Flows } from "../flow/Flows.ts"
import { type Played, play } from "./play.ts"
import { keyOf, type Named, type Truth } from "./Truth.ts"
import type { World } from "./World.ts"

/** A dependency as the store told it. */
export interface Drawn extends Named {
  readonly bytes: number
  /** Why it was drawn so; asked for where it is wrong. */
  readonly why: () => Effect.Effect<DependencyDetail | undefined>
}

export interface Measured<A> {
  readonly played: Played
  readonly totals: FlowTotals
  /** What was made of the dependencies while the pipeline still stood. */
  readonly result: A
}

export interface MeasureOptions<A> {
  readonly config: Config
  readonly worlds: ReadonlyArray<World>
  readonly seed: number
  readonly durationMs: number
  readonly judge: (drawn: ReadonlyArray<Drawn>) => Effect.Effect<A>
  readonly progress?: (line: string) => void
  /** Another way to collapse slices: what a test breaks on purpose. */
  readonly collapse?: MakeCollapse
}

export const measure = <A>(options: MeasureOptions<A>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { config, durationMs, progress = () => undefined, worlds } = options
      const ports = yield* freePorts(config)
      const ingestion = {
        ...config.ingestion,
        bind_address: "127.0.0.1",
        netflow_port: ports.netflow,
        ipfix_port: ports.ipfix,
        sflow_port: ports.sflow
      }
      const own = { ...config, ingestion }
      const pipeline = layerFlow(own, options.collapse).pipe(Layer.provide(FlowLine.layer), Layer.provideMerge(layerGround(own)))
      const context = yield* Layer.build(pipeline)
      return yield* run({ ...options, progress }, ports, worlds, durationMs).pipe(Effect.provide(context))
    })
  )

const run = Effect.fnUntraced(function* <A>(
  options: MeasureOptions<A> & { readonly progress: (line: string) => void },
  ports: { readonly netflow: number; readonly ipfix: number; readonly sflow: number },
  worlds: ReadonlyArray<World>,
  durationMs: number
) {
  const { judge, progress, seed } = options
  const flows = yield* Flows
  const store = yield* DependencyStore
  const truths = new Map(worlds.flatMap((world) => [...world.truths]))
  yield* listening(flows, options.config.ingestion.workers)
  const watching = yield* Effect.forkScoped(watch(flows, store, truths))
  let shown = 0
  const played = yield* play({
    worlds,
    ports,
    seed,
    durationMs,
    progress: (since) => {
      if (since - shown < 5000) return
      shown = since
      const visible = [...truths.values()].filter(({ visibleMs }) => visibleMs > 0).length
      progress(
        `${(since / 1000).toFixed(0)} of ${(durationMs / 1000).toFixed(0)} s played, ${visible} of ${truths.size} dependencies are drawn`
      )
    }
  })
  const totals = yield* settled(flows, played)
  // what was written last has become visible
  const drawn = yield* everything(store)
  note(drawn, truths, yield* Clock.currentTimeMillis)
  watching.interruptUnsafe()
  return { played, totals, result: yield* judge(drawn) } satisfies Measured<A>
})

const free = Effect.callback<number>((resume) => {
  const socket = createSocket("udp4")
  socket.bind(0, "127.0.0.1", () => {
    const { port } = socket.address()
    socket.close(() => resume(Effect.succeed(port)))
  })
})

/** Every worker has bound its three ports: what is sent before is lost, and the pipeline not to blame. */
const listening = (flows: Flows["Service"], workers: number): Effect.Effect<void> =>
  Effect.flatMap(flows.listeners, (all) =>
    all.length >= 3 * workers && all.every(({ state }) => state === "running")
      ? Effect.void
      : Effect.andThen(
          Effect.sleep("50 millis"),
          Effect.suspend(() => listening(flows, workers))
        )
  ).pipe(
    Effect.timeout("20 seconds"),
    Effect.catch(() => Effect.die(new Error("the flow ports could not be bound")))
  )

/** Several workers must share ports, so they need numbers, not "any". */
const freePorts = (_config: Config) => Effect.all({ netflow: free, ipfix: free, sflow: free })

const note = (drawn: ReadonlyArray<Drawn>, truths: ReadonlyMap<string, Truth>, now: number): void => {
  for (const one of drawn) {
    const truth = truths.get(keyOf(one))
    if (truth !== undefined && truth.visibleMs === 0) truth.visibleMs = now
  }
}

/** Asks for all dependencies each time a write changed the map, and notes when each was first among them. */
const watch = Effect.fnUntraced(function* (
  flows: Flows["Service"],
  store: DependencyStore["Service"],
  truths: ReadonlyMap<string, Truth>
) {
  let seen = -1
  for (;;) {
    const version = yield* SubscriptionRef.get(flows.mapVersion)
    if (version !== seen) {
      seen = version
      const drawn = yield* everything(store)
      note(drawn, truths, yield* Clock.currentTimeMillis)
    }
    yield* Effect.sleep("100 millis")
  }
})

/** All pages of the list that the console shows. */
const everything = Effect.fnUntraced(function* (store: DependencyStore["Service"]) {
  const drawn: Array<Drawn> = []
  let after: string | undefined
  do {
    const page = yield* store.page({ limit: 1000, sort: "port", ...(after === undefined ? {} : { after }) }).pipe(Effect.orDie)
    for (const one of page.items) drawn.push(drawnOf(one, store))
    after = page.next
  } while (after !== undefined)
  return drawn
})

const drawnOf = (one: Dependency, store: DependencyStore["Service"]): Drawn => ({
  client: one.client.address,
  server: one.server.address,
  port: one.port,
  protocol: one.protocol,
  bytes: Number(one.bytesToServer) + Number(one.bytesToClient),
  why: () => store.get(one.id).pipe(Effect.catch(() => Effect.succeed(undefined)))
})

/**
 * Everything that arrived is written, and what waited in the journal is in the tables: the same totals three times in a row, and nothing
 * held anywhere. At most half a minute.
 */
const settled = Effect.fnUntraced(function* (flows: Flows["Service"], played: Played) {
  const sql = yield* SqlClient.SqlClient
  let before = ""
  let alike = 0
  for (let i = 0; i < 60 && alike < 3; i++) {
    const totals = yield* flows.totals
    const now = JSON.stringify(totals)
    const arrived = totals.datagrams + totals.kernelDropped >= played.datagrams
    const written = arrived && totals.written + totals.lost >= totals.folded
    const [journal] = written ? yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM window_journal` : []
    alike = now === before && journal?.n === 0 ? alike + 1 : 0
    before = now
    if (alike < 3) yield* Effect.sleep("500 millis")
  }
  return yield* flows.totals
})
