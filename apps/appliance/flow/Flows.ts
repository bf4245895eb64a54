/**
 * The flow plane as the rest of the appliance sees it: its accounts, its version, and its actors under `flow/`. What runs where stands
 * in corridors/flow.ts.
 */
import { Context, type Effect, type SubscriptionRef } from "effect"
import type { SqlError } from "effect/sql"
import type { SpoolState } from "#domain/Health.ts"
import type { ListenerReading } from "#pipeline/ingest/UdpListener.ts"
import type { UncleanStop } from "#pipeline/store/BootStore.ts"
import type { SubnetCount } from "#pipeline/store/CoverageStore.ts"
import type { ToFlowWorker } from "../flow-worker/messages.ts"
import type { RaisedWarning } from "../health/derive-warnings.ts"
import type { ExporterTotals, FlowTotals } from "./FlowLedger.ts"

/** The newest window with a written slice. */
export interface WindowReading {
  /** ms since 1970 */
  readonly start: number
  readonly seconds: number
  readonly final: boolean
  readonly writtenAt: number
}

export class Flows extends Context.Service<
  Flows,
  {
    readonly boot: string
    /** Earlier starts that ended without writing what they held; told once. */
    readonly uncleanStops: ReadonlyArray<UncleanStop>
    readonly totals: Effect.Effect<FlowTotals>
    readonly exporters: Effect.Effect<ReadonlyArray<ExporterTotals>>
    readonly listeners: Effect.Effect<ReadonlyArray<ListenerReading>>
    readonly warnings: Effect.Effect<ReadonlyArray<RaisedWarning>>
    /** What waits for the database, on disk and in memory. */
    readonly spool: Effect.Effect<SpoolState>
    readonly recordsPerSecond: Effect.Effect<number>
    /** Unknown elements as `enterprise.element` → records, over all exporters. */
    readonly unknownElements: Effect.Effect<Readonly<Record<string, number>>>
    readonly window: Effect.Effect<WindowReading | undefined>
    /** One record of so many is kept now, while the store lags. */
    readonly pressure: Effect.Effect<number>
    /** Which exporter saw which of our networks, since this was last taken. */
    readonly takeSubnets: Effect.Effect<{ readonly counts: ReadonlyArray<SubnetCount>; readonly putBack: () => void }>
    /** Brings every table up to date with what was written so far. */
    readonly settle: Effect.Effect<void, SqlError.SqlError>
    /** Grows with each slice that changed the map. */
    readonly mapVersion: SubscriptionRef.SubscriptionRef<number>
    /** To every worker that runs. */
    readonly tell: (message: ToFlowWorker) => Effect.Effect<void>
  }
>()("appliance/flow/Flows") {}
