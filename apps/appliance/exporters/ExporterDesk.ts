/**
 * What people do about exporters: one place for RPC and REST. A change is a row and an entry in the audit log together, and is with the
 * flow workers before the caller has its answer.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import type { Capture, CaptureId, CaptureRequest } from "#domain/Capture.ts"
import type { ExporterChange, ExporterPolicy } from "#domain/ExporterPolicy.ts"
import type { ExporterId } from "#domain/ids.ts"
import { CurrentCaller } from "#domain/Operator.ts"
import {
  type CaptureBusy,
  type CaptureNotFound,
  type ExporterAddition,
  type ExporterExists,
  ExporterNotFound
} from "#domain/rpc/ExporterRpcs.ts"
import { ExporterPolicyStore } from "#pipeline/store/ExporterPolicyStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { FlowLine } from "../flow/FlowLine.ts"
import { makeRecord } from "../rpc/record.ts"
import { Captures } from "./Captures.ts"

export class ExporterDesk extends Context.Service<
  ExporterDesk,
  {
    readonly add: (exporter: typeof ExporterAddition.Type) => Effect.Effect<ExporterId, ExporterExists, CurrentCaller>
    /** Answers with what was before. */
    readonly change: (
      id: ExporterId,
      change: ExporterChange
    ) => Effect.Effect<{ readonly name: string | null; readonly policy: ExporterPolicy }, ExporterNotFound, CurrentCaller>
    readonly forget: (id: ExporterId) => Effect.Effect<void, ExporterNotFound, CurrentCaller>
    readonly capture: (
      id: ExporterId,
      request: CaptureRequest
    ) => Effect.Effect<Capture, ExporterNotFound | CaptureBusy, CurrentCaller>
    readonly endCapture: (id: CaptureId) => Effect.Effect<void, CaptureNotFound, CurrentCaller>
    /** The file is about to be sent. */
    readonly fetched: (capture: Capture) => Effect.Effect<void, never, CurrentCaller>
  }
>()("appliance/exporters/ExporterDesk") {
  static readonly layer = (options: { readonly requireApproval: boolean }) => Layer.effect(ExporterDesk, make(options))
}

/** The change as words of the audit log. */
const detailOf = ({ approval, name, sampling, silenceSeconds, silentAlarm }: ExporterChange): Readonly<Record<string, string>> => ({
  ...(name === undefined ? {} : { name: name ?? "" }),
  ...(approval === undefined ? {} : { approval }),
  ...(sampling === undefined ? {} : { sampling: sampling === null ? "as announced" : `1 of ${sampling.rate}, ${sampling.mode}` }),
  ...(silenceSeconds === undefined ? {} : { silenceSeconds: silenceSeconds === null ? "default" : String(silenceSeconds) }),
  ...(silentAlarm === undefined ? {} : { silentAlarm: String(silentAlarm) })
})

const make = Effect.fnUntraced(function* ({ requireApproval }: { readonly requireApproval: boolean }) {
  const policies = yield* ExporterPolicyStore
  const exporters = yield* ExporterStore
  const captures = yield* Captures
  const line = yield* FlowLine
  const sql = yield* SqlClient.SqlClient

  const record = yield* makeRecord
  const inForce = Effect.map(policies.inForce, (all) => line.setExporters({ requireApproval, policies: all }))
  const dieOfSql = <A, E, R>(
    effect: Effect.Effect<A, E | SqlError.SqlError, R>
  ): Effect.Effect<A, Exclude<E, SqlError.SqlError>, R> =>
    Effect.catch(effect, (error) =>
      SqlError.isSqlError(error) ? Effect.die(error) : Effect.fail(error as Exclude<E, SqlError.SqlError>)
    )
  const subjectOf = ({ address, protocol }: { readonly address: string; readonly protocol: string }) => `${address} ${protocol}`

  return ExporterDesk.of({
    add: (exporter) =>
      Effect.gen(function* () {
        const { name } = yield* CurrentCaller
        const id = yield* sql.withTransaction(
          Effect.tap(policies.add(exporter, name), () =>
            record("exporter.add", subjectOf(exporter), exporter.name === null ? {} : { name: exporter.name })
          )
        )
        yield* inForce
        return id
      }).pipe(dieOfSql),
    change: (id, change) =>
      Effect.gen(function* () {
        const { name: by } = yield* CurrentCaller
        const { name, policy } = yield* sql.withTransaction(
          Effect.tap(policies.change(id, change, by), (before) => record("exporter.change", subjectOf(before), detailOf(change)))
        )
        yield* inForce
        return { name, policy }
      }).pipe(dieOfSql),
    forget: (id) =>
      Effect.gen(function* () {
        const { address, protocol } = yield* sql.withTransaction(
          Effect.tap(exporters.forget(id), (gone) => record("exporter.forget", subjectOf(gone)))
        )
        line.tell({ type: "forget-exporter", address, protocol })
        yield* inForce
      }).pipe(dieOfSql),
    capture: (id, request) =>
      Effect.gen(function* () {
        const exporter = (yield* exporters.list).find((one) => one.id === id)
        if (exporter === undefined) return yield* new ExporterNotFound({ id })
        const capture = yield* captures.start(exporter, request)
        const { last = 0, next = 0 } = request
        yield* record("exporter.capture", subjectOf(exporter), { capture: capture.id, last: String(last), next: String(next) })
        return capture
      }).pipe(dieOfSql),
    endCapture: (id) =>
      Effect.gen(function* () {
        const ended = yield* captures.end(id)
        yield* record(ended.state === "running" ? "exporter.capture.end" : "exporter.capture.remove", id)
      }).pipe(dieOfSql),
    fetched: ({ id }) => dieOfSql(record("exporter.capture.fetch", id))
  })
})
