/** What changes by itself, for whoever watches. The corridor makes it; handlers and machines' endpoints read it. */
import { Context, type Effect, type Stream } from "effect"
import type { Exporter, ExporterHistory } from "#domain/Exporter.ts"
import type { HealthDetail, PublicHealth } from "#domain/Health.ts"
import type { ActorNotFound } from "#domain/rpc/SystemRpcs.ts"
import type { SettingReading } from "#domain/Settings.ts"
import type { Overview, Status } from "#domain/Status.ts"

/**
 * Each stream starts with the current value and then has the latest: a slow reader sees fewer steps, never a stale end. None of them
 * ends or fails while the appliance runs; what could not be read (the database is away) is said in the value.
 */
export class Live extends Context.Service<
  Live,
  {
    readonly status: Stream.Stream<Status>
    readonly overview: Stream.Stream<Overview>
    readonly exporters: Stream.Stream<ReadonlyArray<Exporter>>
    /** A minute at a time, of the last hour. */
    readonly exporterHistory: Stream.Stream<ReadonlyArray<ExporterHistory>>
    readonly health: Stream.Stream<HealthDetail>
    /** Grows whenever the live map changed. */
    readonly mapVersion: Stream.Stream<number>
    readonly healthNow: Effect.Effect<HealthDetail>
    readonly publicHealth: Effect.Effect<PublicHealth>
    /** Asks for a restart; does not wait for it. */
    readonly restartActor: (path: string) => Effect.Effect<void, ActorNotFound>
    readonly settings: ReadonlyArray<SettingReading>
  }
>()("appliance/rpc/Live") {}
