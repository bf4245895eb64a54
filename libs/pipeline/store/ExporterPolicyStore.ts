/** What people decided about exporters. An exporter without a row here is undecided. */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Address } from "#domain/Address.ts"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { type Approval, type ExporterChange, ExporterPolicy, type SamplingOverride } from "#domain/ExporterPolicy.ts"
import { ExporterId } from "#domain/ids.ts"
import { ExporterExists, ExporterNotFound } from "#domain/rpc/ExporterRpcs.ts"

/** What a flow worker must know of one exporter. */
export interface PolicyInForce {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly approval: Approval
  readonly sampling: SamplingOverride | null
}

/** A change, and what it changed. */
export interface ChangedPolicy {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly name: string | null
  readonly policy: ExporterPolicy
}

interface Row {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly name: string | null
  readonly policy: unknown
}

const decode = Schema.decodeUnknownSync(ExporterPolicy)

export class ExporterPolicyStore extends Context.Service<
  ExporterPolicyStore,
  {
    /** All of them; undecided exporters without an override are left out. */
    readonly inForce: Effect.Effect<ReadonlyArray<PolicyInForce>, SqlError.SqlError>
    /** An exporter that has not sent yet, approved. */
    readonly add: (
      exporter: { readonly address: Address; readonly protocol: ExporterProtocol; readonly name: string | null },
      by: string
    ) => Effect.Effect<ExporterId, ExporterExists | SqlError.SqlError>
    /** Answers with what was before. */
    readonly change: (
      id: ExporterId,
      change: ExporterChange,
      by: string
    ) => Effect.Effect<ChangedPolicy, ExporterNotFound | SqlError.SqlError>
  }
>()("pipeline/store/ExporterPolicyStore") {
  static readonly layer = Layer.effect(
    ExporterPolicyStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms).toISOString())

      const add = Effect.fnUntraced(function* (
        {
          address,
          protocol,
          name
        }: { readonly address: Address; readonly protocol: ExporterProtocol; readonly name: string | null },
        by: string
      ) {
        const at = yield* now
        const [row] = yield* sql<{ id: bigint }>`INSERT INTO exporters (address, protocol, name, state, first_seen, last_seen)
          VALUES (${address}::text::inet, ${protocol}, ${name}, 'expected', ${at}::text::timestamptz, ${at}::text::timestamptz)
          ON CONFLICT (address, protocol) DO NOTHING RETURNING id`
        if (row === undefined) return yield* new ExporterExists({ address, protocol })
        yield* sql`INSERT INTO exporter_policies (exporter_id, approval, decided_by, decided_at)
          VALUES (${row.id}, 'approved', ${by}, ${at}::text::timestamptz)`
        return ExporterId.make(row.id.toString())
      })

      const change = Effect.fnUntraced(function* (id: ExporterId, wanted: ExporterChange, by: string) {
        const [before] = yield* sql<Row>`SELECT host(address) AS address, protocol, name,
            jsonb_build_object('approval', coalesce(p.approval, 'new'), 'decidedBy', p.decided_by, 'decidedAt', p.decided_at,
              'sampling', CASE WHEN p.sampling_rate IS NOT NULL THEN jsonb_build_object('rate', p.sampling_rate, 'mode', p.sampling_mode) END,
              'silenceSeconds', p.silence_seconds, 'silentAlarm', coalesce(p.silent_alarm, true)) AS policy
          FROM exporters e LEFT JOIN exporter_policies p ON p.exporter_id = e.id WHERE e.id = ${id}::text::bigint FOR UPDATE OF e`
        if (before === undefined) return yield* new ExporterNotFound({ id })
        const policy = decode(before.policy)
        const { name, ...rest } = wanted
        if (name !== undefined) yield* sql`UPDATE exporters SET name = ${name} WHERE id = ${id}::text::bigint`
        if (Object.keys(rest).length > 0) {
          const after = { ...policy, ...rest }
          yield* sql`INSERT INTO exporter_policies (exporter_id, approval, decided_by, decided_at, sampling_rate, sampling_mode,
              silence_seconds, silent_alarm)
            VALUES (${id}::text::bigint, ${after.approval}, ${by}, ${yield* now}::text::timestamptz, ${after.sampling?.rate.toString() ?? null}::text::bigint,
              ${after.sampling?.mode ?? null}, ${after.silenceSeconds}::integer, ${after.silentAlarm})
            ON CONFLICT (exporter_id) DO UPDATE SET approval = excluded.approval, decided_by = excluded.decided_by,
              decided_at = excluded.decided_at, sampling_rate = excluded.sampling_rate, sampling_mode = excluded.sampling_mode,
              silence_seconds = excluded.silence_seconds, silent_alarm = excluded.silent_alarm`
        }
        return { address: before.address, protocol: before.protocol, name: before.name, policy }
      })

      return ExporterPolicyStore.of({
        inForce: sql<
          Omit<PolicyInForce, "sampling"> & { readonly rate: number | null; readonly mode: SamplingOverride["mode"] | null }
        >`SELECT host(address) AS address, protocol, approval, sampling_rate::float8 AS rate, sampling_mode AS mode
          FROM exporter_policies JOIN exporters ON exporters.id = exporter_id
          WHERE approval <> 'new' OR sampling_rate IS NOT NULL ORDER BY exporter_id`.pipe(
          Effect.map((rows) =>
            rows.map(({ address, protocol, approval, rate, mode }) => ({
              address,
              protocol,
              approval,
              sampling: rate === null || mode === null ? null : { rate, mode }
            }))
          ),
          Effect.withSpan("ExporterPolicyStore.inForce")
        ),
        add: (exporter, by) => sql.withTransaction(add(exporter, by)).pipe(Effect.withSpan("ExporterPolicyStore.add")),
        change: (id, wanted, by) => sql.withTransaction(change(id, wanted, by)).pipe(Effect.withSpan("ExporterPolicyStore.change"))
      })
    })
  )
}
