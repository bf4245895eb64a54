/** Real servers, real clients and a real exporter: what ran, and what the kernel counted. */
import { it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type ExporterKind, exporterKinds, startExporter } from "./exporters.ts"
import { makeNetwork, missingFor, type Network, type Wires, wiresSince } from "./network.ts"
import type { LabFault } from "./processes.ts"
import { serverPrograms, startServers } from "./servers.ts"
import { type LabDependency, runTail, runTraffic } from "./traffic.ts"

export interface LabOptions {
  readonly exporter: ExporterKind
  readonly collectorPort: number
  /** Where the exporter sends; default: this machine's end of the lab's leg. A collector may listen there or on any address. */
  readonly collectorAddress?: string
}

export interface LabRun {
  /** What must be found, all of it and no more. The first one carries one more connection, the tail (see `runTail`). */
  readonly dependencies: ReadonlyArray<LabDependency>
  /** Where the exporter's datagrams came from. */
  readonly exporterAddress: string
  readonly sampling: number
  /** The kernel's account of the wires while the traffic ran, the tail left out. */
  readonly wires: Wires
}

/** Why the lab cannot run with this exporter here; empty: it can. */
export const missing = (exporter: ExporterKind): ReadonlyArray<string> =>
  missingFor(exporterKinds[exporter].program, ...serverPrograms)

/** A test that is skipped by name where something lacks. */
export const itInLab = (name: string, lacking: ReadonlyArray<string>, body: () => Effect.Effect<void, LabFault, Scope.Scope>) =>
  lacking.length > 0
    ? it.skip(`${name} (skipped: needs ${lacking.join(", ")})`, () => undefined)
    : it.live(name, () => Effect.scoped(body()), 400_000)

/** When it returns the exporter has been stopped and has sent everything; the network goes with the scope. */
export const runLab = (options: LabOptions): Effect.Effect<LabRun, LabFault, Scope.Scope> =>
  Effect.map(runLabs([options]), ({ dependencies, exporterAddress, wires }) => ({
    dependencies,
    exporterAddress,
    wires,
    sampling: exporterKinds[options.exporter].sampling
  }))

/** Several exporters watch the same traffic, each with a collector of its own. */
export const runLabs = (exporters: ReadonlyArray<LabOptions>): Effect.Effect<Omit<LabRun, "sampling">, LabFault, Scope.Scope> =>
  Effect.flatMap(makeNetwork(), (network) =>
    runWatched(
      network,
      Effect.forEach(
        exporters,
        ({ exporter, collectorPort, collectorAddress = network.hostAddress }) =>
          startExporter(exporter, network, `${collectorAddress}:${collectorPort}`),
        { concurrency: "unbounded" }
      ).pipe(
        Effect.map((watching) =>
          Effect.forEach(watching, (exporter) => exporter.stop("SIGTERM"), { concurrency: "unbounded", discard: true })
        )
      )
    )
  )

/** `watch` starts what exports, and answers how to have it send what it still holds. */
export const runWatched = Effect.fnUntraced(function* (
  network: Network,
  watch: Effect.Effect<Effect.Effect<void, LabFault>, LabFault, Scope.Scope>
): Effect.fn.Return<Omit<LabRun, "sampling">, LabFault, Scope.Scope> {
  const servers = yield* startServers(network)
  const settle = yield* watch
  const before = yield* network.wires
  const dependencies = yield* runTraffic(network, servers)
  const after = yield* network.wires
  yield* runTail(network)
  // A reader of packets lags behind them, and closes its flows a little after they end
  yield* Effect.sleep("3 seconds")
  yield* settle
  return {
    dependencies,
    exporterAddress: network.exporterAddress,
    wires: wiresSince(before, after)
  }
})
