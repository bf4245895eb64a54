/** Exporters as the flow workers report them, and the templates they told, to be known again after a restart. */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Address } from "#domain/Address.ts"
import { Exporter, type ExporterProtocol, type ExporterState, nothingCounted, TemplateSummary } from "#domain/Exporter.ts"
import type { ExporterId } from "#domain/ids.ts"
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import { ExporterNotFound } from "#domain/rpc/ExporterRpcs.ts"
import { texts as textArray } from "./arrays.ts"
import { decodeRows, toJson } from "./Sql.ts"

type Counter = number | bigint

/** What a worker knows of an exporter now. Counters are since the appliance started; instants are ms since 1970. */
export interface ExporterSnapshot {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly state: ExporterState
  readonly firstSeen: number
  readonly lastSeen: number
  readonly datagrams: Counter
  readonly octets: Counter
  readonly records: Counter
  readonly recordsPerSecond: number
  readonly sequenceLost: Counter
  readonly sequenceResets: Counter
  readonly malformed: Counter
  readonly malformedReasons: Readonly<Record<string, Counter>>
  readonly heldSets: number
  readonly heldDropped: Counter
  readonly templates: number
  readonly sampling: number
  readonly clockSkewMs: number | null
  readonly observationDomains: ReadonlyArray<number>
  readonly unknownElements: Readonly<Record<string, Counter>>
  /** The sequence number each domain's next datagram should have. */
  readonly sequences: ReadonlyArray<readonly [domain: number, expected: number]>
}

/** Where the last run stopped following an exporter. */
export interface StoredSequences {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly lastSeen: number
  readonly sequences: ReadonlyArray<readonly [domain: number, expected: number]>
}

export class ExporterStore extends Context.Service<
  ExporterStore,
  {
    /** Adds or refreshes all of them in one statement; names given by people and the first time seen stay. */
    readonly upsert: (snapshots: ReadonlyArray<ExporterSnapshot>) => Effect.Effect<void, SqlError.SqlError>
    readonly list: Effect.Effect<ReadonlyArray<Exporter>>
    /** Its row and all that hangs on it. What workers still say of the time before is not written any more. */
    readonly forget: (id: ExporterId) => Effect.Effect<Pick<Exporter, "address" | "protocol">, ExporterNotFound | SqlError.SqlError>
    /** As many at once, of which no worker says anything any more. */
    readonly forgetAll: (ids: ReadonlyArray<ExporterId>) => Effect.Effect<void, SqlError.SqlError>
    /** Since when each is silent (ms since 1970), null for one that was heard again. */
    readonly markSilent: (
      changes: ReadonlyArray<{ readonly id: ExporterId; readonly since: number | null }>
    ) => Effect.Effect<void, SqlError.SqlError>
    readonly templates: (id: ExporterId) => Effect.Effect<ReadonlyArray<TemplateSummary>, ExporterNotFound>
    /** Makes the stored templates be these: what is gone from the list is forgotten. */
    readonly saveTemplates: (templates: ReadonlyArray<LearnedTemplate>) => Effect.Effect<void, SqlError.SqlError>
    readonly loadTemplates: Effect.Effect<ReadonlyArray<LearnedTemplate>, SqlError.SqlError>
    /** Adds or replaces them; nothing is forgotten. */
    readonly saveAnnouncements: (announcements: ReadonlyArray<Announcement>) => Effect.Effect<void, SqlError.SqlError>
    readonly loadAnnouncements: Effect.Effect<ReadonlyArray<Announcement>, SqlError.SqlError>
    readonly loadSequences: Effect.Effect<ReadonlyArray<StoredSequences>, SqlError.SqlError>
  }
>()("pipeline/store/ExporterStore") {
  static readonly layer = Layer.effect(
    ExporterStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const decodeExporters = decodeRows(Exporter)
      const decodeTemplates = decodeRows(TemplateSummary)

      /** When an exporter was forgotten, by this process's clock: its last readings are on their way still. */
      const forgotten = new Map<string, number>()

      const known = Effect.fnUntraced(function* (id: ExporterId) {
        const [row] = yield* sql<{ address: string; protocol: ExporterProtocol }>`SELECT address, protocol FROM exporters
          WHERE id = ${id}::text::bigint`.pipe(Effect.orDie)
        return row === undefined ? yield* new ExporterNotFound({ id }) : row
      })

      return ExporterStore.of({
        upsert: Effect.fn("ExporterStore.upsert")(function* (snapshots) {
          const heard = snapshots.filter(({ address, protocol, lastSeen }) => {
            const at = forgotten.get(`${protocol} ${address}`)
            return at === undefined || lastSeen > at
          })
          if (heard.length === 0) return
          const rows = heard.map((snapshot) => ({
            ...(toJson(snapshot) as object),
            firstSeen: new Date(snapshot.firstSeen).toISOString(),
            lastSeen: new Date(snapshot.lastSeen).toISOString()
          }))
          // a sampling rate is what a datagram says, 32 bits without a sign: one absurd exporter must not keep all others from their rows
          yield* sql`INSERT INTO exporters AS e (address, protocol, state, first_seen, last_seen, datagrams, octets, records, records_per_second,
              sequence_lost, sequence_resets, malformed, malformed_reasons, held_sets, held_dropped, templates, sampling, clock_skew_ms,
              observation_domains, unknown_elements, sequences)
            SELECT address, protocol, state, "firstSeen", "lastSeen", datagrams, octets, records, "recordsPerSecond", "sequenceLost", "sequenceResets",
              malformed, "malformedReasons", "heldSets", "heldDropped", templates, LEAST(sampling, 2147483647)::integer, "clockSkewMs", "observationDomains", "unknownElements", sequences
            FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS x(address inet, protocol text, state text, "firstSeen" timestamptz,
              "lastSeen" timestamptz, datagrams bigint, octets bigint, records bigint, "recordsPerSecond" float8, "sequenceLost" bigint,
              "sequenceResets" bigint, malformed bigint, "malformedReasons" jsonb, "heldSets" integer, "heldDropped" bigint,
              templates integer, sampling bigint, "clockSkewMs" float8, "observationDomains" jsonb, "unknownElements" jsonb, sequences jsonb)
            ORDER BY address, protocol
            ON CONFLICT (address, protocol) DO UPDATE SET state = excluded.state,
              first_seen = CASE e.state WHEN 'expected' THEN excluded.first_seen ELSE LEAST(e.first_seen, excluded.first_seen) END,
              last_seen = GREATEST(e.last_seen, excluded.last_seen), datagrams = excluded.datagrams, octets = excluded.octets, records = excluded.records,
              records_per_second = excluded.records_per_second, sequence_lost = excluded.sequence_lost,
              sequence_resets = excluded.sequence_resets, malformed = excluded.malformed, malformed_reasons = excluded.malformed_reasons,
              held_sets = excluded.held_sets, held_dropped = excluded.held_dropped, templates = excluded.templates,
              sampling = excluded.sampling, clock_skew_ms = excluded.clock_skew_ms, observation_domains = excluded.observation_domains,
              unknown_elements = excluded.unknown_elements, sequences = excluded.sequences`
        }),
        list: sql`SELECT id, address, protocol, name, state, first_seen AS "firstSeen", last_seen AS "lastSeen", datagrams, octets, records,
            records_per_second AS "recordsPerSecond", sequence_lost AS "sequenceLost", sequence_resets AS "sequenceResets", malformed,
            malformed_reasons AS "malformedReasons", held_sets AS "heldSets", held_dropped AS "heldDropped", templates, sampling,
            clock_skew_ms AS "clockSkewMs", observation_domains AS "observationDomains", unknown_elements AS "unknownElements",
            silent_since AS "silentSince", false AS "silenceAlarms", '[]'::jsonb AS findings,
            jsonb_build_object('approval', coalesce(p.approval, 'new'), 'decidedBy', p.decided_by, 'decidedAt', p.decided_at,
              'sampling', CASE WHEN p.sampling_rate IS NOT NULL THEN jsonb_build_object('rate', p.sampling_rate, 'mode', p.sampling_mode) END,
              'silenceSeconds', p.silence_seconds, 'silentAlarm', coalesce(p.silent_alarm, true)) AS policy
          FROM exporters LEFT JOIN exporter_policies p ON p.exporter_id = exporters.id ORDER BY address, protocol`.pipe(
          Effect.orDie,
          // counters inside an object are decimal text whichever way the worker counted
          Effect.map((rows) =>
            rows.map((row) => ({
              ...row,
              ...Object.fromEntries(Object.keys(nothingCounted).map((name) => [name, "0"])),
              malformedReasons: texts(row["malformedReasons"]),
              unknownElements: texts(row["unknownElements"])
            }))
          ),
          Effect.flatMap(decodeExporters),
          Effect.withSpan("ExporterStore.list")
        ),
        forget: Effect.fn("ExporterStore.forget")(function* (id) {
          const { address, protocol } = yield* known(id)
          forgotten.set(`${protocol} ${address}`, yield* Clock.currentTimeMillis)
          yield* sql`DELETE FROM exporters WHERE id = ${id}::text::bigint`
          return { address: address as Address, protocol }
        }),
        forgetAll: Effect.fn("ExporterStore.forgetAll")(function* (ids) {
          if (ids.length > 0) yield* sql`DELETE FROM exporters WHERE id = ANY(${textArray(ids)}::text[]::bigint[])`
        }),
        markSilent: Effect.fn("ExporterStore.markSilent")(function* (changes) {
          if (changes.length === 0) return
          const ids = changes.map(({ id }) => id)
          const since = changes.map(({ since }) => (since === null ? null : new Date(since).toISOString()))
          yield* sql`UPDATE exporters e SET silent_since = x.since
            FROM unnest(${textArray(ids)}::text[]::bigint[], ${textArray(since)}::text[]::timestamptz[]) AS x(id, since) WHERE e.id = x.id`
        }),
        templates: Effect.fn("ExporterStore.templates")(function* (id) {
          const { address, protocol } = yield* known(id)
          const rows = yield* sql`SELECT observation_domain AS "observationDomain", template_id AS "templateId", kind,
              CASE version WHEN 9 THEN 'netflow9' ELSE 'ipfix' END AS protocol, fields, learned_at AS "learnedAt"
            FROM templates WHERE exporter = ${address}::text::inet AND version = ${protocol === "netflow9" ? 9 : 10}
            ORDER BY observation_domain, template_id`.pipe(Effect.orDie)
          return yield* decodeTemplates(rows.map((row) => ({ ...row, observationDomain: Number(row["observationDomain"]) })))
        }),
        saveTemplates: Effect.fn("ExporterStore.saveTemplates")(function* (templates) {
          const text = JSON.stringify(templates)
          yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`LOCK TABLE templates IN SHARE ROW EXCLUSIVE MODE`
              yield* sql`DELETE FROM templates t WHERE NOT EXISTS (
                SELECT 1 FROM jsonb_to_recordset(${text}::text::jsonb) AS x(exporter inet, version smallint, domain bigint, id integer)
                WHERE x.exporter = t.exporter AND x.version = t.version AND x.domain = t.observation_domain AND x.id = t.template_id)`
              yield* sql`INSERT INTO templates AS t (exporter, version, observation_domain, template_id, kind, scope_field_count, fields, learned_at)
                SELECT exporter, version, domain, id, kind, "scopeFieldCount", fields, now()
                FROM jsonb_to_recordset(${text}::text::jsonb) AS x(exporter inet, version smallint, domain bigint, id integer, kind text,
                  "scopeFieldCount" integer, fields jsonb)
                ON CONFLICT (exporter, version, observation_domain, template_id) DO UPDATE SET kind = excluded.kind,
                  scope_field_count = excluded.scope_field_count, fields = excluded.fields, learned_at = excluded.learned_at
                WHERE t.fields IS DISTINCT FROM excluded.fields OR t.kind <> excluded.kind OR t.scope_field_count <> excluded.scope_field_count`
            })
          )
        }),
        saveAnnouncements: Effect.fn("ExporterStore.saveAnnouncements")(function* (announcements) {
          if (announcements.length === 0) return
          yield* sql`INSERT INTO announcements AS a (exporter, version, observation_domain, said)
            SELECT (said ->> 'exporter')::inet, (said ->> 'version')::smallint, (said ->> 'domain')::bigint, said
            FROM jsonb_array_elements(${JSON.stringify(announcements)}::text::jsonb) AS x(said)
            ON CONFLICT (exporter, version, observation_domain) DO UPDATE SET said = excluded.said
            WHERE a.said IS DISTINCT FROM excluded.said`
        }),
        loadAnnouncements: sql<{ said: Announcement }>`SELECT said FROM announcements
          ORDER BY exporter, version, observation_domain LIMIT 20000`.pipe(
          Effect.map((rows) => rows.map(({ said }) => said)),
          Effect.withSpan("ExporterStore.loadAnnouncements")
        ),
        loadSequences:
          sql<StoredSequences>`SELECT address, protocol, (extract(epoch FROM last_seen) * 1000)::float8 AS "lastSeen", sequences
          FROM exporters`.pipe(Effect.withSpan("ExporterStore.loadSequences")),
        loadTemplates: sql<
          LearnedTemplate & { domain: bigint }
        >`SELECT exporter, version, observation_domain AS domain, template_id AS id, kind,
            scope_field_count AS "scopeFieldCount", fields FROM templates ORDER BY exporter, version, observation_domain, template_id`.pipe(
          Effect.map((rows) => rows.map((row) => ({ ...row, domain: Number(row.domain) }))),
          Effect.withSpan("ExporterStore.loadTemplates")
        )
      })
    })
  )
}

const texts = (counters: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(counters as Record<string, number | string>).map(([name, value]) => [name, String(value)]))
