/**
 * Who did what, append-only. Each entry's hash covers the hash before it, so an entry that was changed, removed or slipped in breaks
 * the chain from there on:
 *
 *     hash = hex SHA-256 of  previous hash ‖ JSON [sequence, at, actor, via, source, action, subject, outcome, detail]
 *
 * with `at` in ISO 8601 with milliseconds and `detail` as pairs in the order of their keys. The first entry's previous hash is 64
 * zeros. Anyone with an export can recompute it.
 *
 * Old entries may be forgotten, from the first one on. `audit_tail` has the number and hash of the last that went, and an entry of the
 * chain itself (`audit.forget`) names that number, so that nothing else can be cut off unseen.
 */
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { AuditEntry } from "#domain/Audit.ts"
import { decodeRows } from "./Sql.ts"

export interface AuditRecord {
  readonly actor: string
  readonly via: "session" | "token" | "local" | "none"
  /** Remote address; null on the machine itself. */
  readonly source: string | null
  /** Dotted verb, e.g. `operator.add`. */
  readonly action: string
  readonly subject?: string | null
  readonly outcome: "done" | "refused"
  readonly detail?: Readonly<Record<string, string>>
}

export interface AuditPageQuery {
  /** Free text over actor, action, subject and source. */
  readonly filter?: string | undefined
  readonly order?: "ascending" | "descending" | undefined
  readonly limit: number
  /** The page's cursor as `list` gave it. */
  readonly after?: string | undefined
}

export interface AuditPage {
  readonly items: ReadonlyArray<AuditEntry>
  readonly total: number
  readonly next?: string
}

export interface AuditVerdict {
  readonly entries: number
  /** What is wrong at the first place where the chain does not hold; null when it holds. */
  readonly brokenAt: string | null
}

interface ChainRow {
  readonly sequence: bigint
  readonly at: Date
  readonly actor: string
  readonly via: string
  readonly source: string | null
  readonly action: string
  readonly subject: string | null
  readonly outcome: string
  readonly detail: Readonly<Record<string, string>>
  readonly hash: string
}

/** The action of what is written when entries are forgotten; its detail says up to which. */
const forgetAction = "audit.forget"
const pageRows = 1000

/** PostgreSQL text holds no NUL and no lone surrogate; an attacker's text is cut, so that it cannot fill the log. */
const clean = (text: string) => text.replaceAll("\0", "").toWellFormed().slice(0, 500).toWellFormed()

const sha256 = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}

const hashOf = (previous: string, row: Omit<ChainRow, "hash">) =>
  Effect.promise(() =>
    sha256(
      previous +
        JSON.stringify([
          row.sequence.toString(),
          row.at.toISOString(),
          row.actor,
          row.via,
          row.source,
          row.action,
          row.subject,
          row.outcome,
          Object.entries(row.detail).sort(([a], [b]) => (a < b ? -1 : 1))
        ])
    )
  )

export class AuditStore extends Context.Service<
  AuditStore,
  {
    /** Inside a transaction the entry stands or falls with it, and other writers wait for its end. */
    readonly append: (record: AuditRecord) => Effect.Effect<void, SqlError.SqlError>
    readonly list: (query: AuditPageQuery) => Effect.Effect<AuditPage, SqlError.SqlError>
    /** Removes the oldest entries, those before the first that is not older than this, and writes that down. Answers how many went. */
    readonly forgetBefore: (at: Date) => Effect.Effect<number, SqlError.SqlError>
    /** Recomputes the whole chain. */
    readonly verify: Effect.Effect<AuditVerdict, SqlError.SqlError>
  }
>()("pipeline/store/AuditStore") {
  static readonly layer = Layer.effect(
    AuditStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const entries = decodeRows(AuditEntry)

      const append = Effect.fn("AuditStore.append")(function* (record: AuditRecord) {
        const at = new Date(yield* Clock.currentTimeMillis)
        const detail = Object.fromEntries(Object.entries(record.detail ?? {}).map(([name, value]) => [clean(name), clean(value)]))
        const entry = {
          at,
          actor: clean(record.actor),
          via: record.via,
          source: record.source === null ? null : clean(record.source),
          action: clean(record.action),
          subject: record.subject === undefined || record.subject === null ? null : clean(record.subject),
          outcome: record.outcome,
          detail
        }
        yield* sql.withTransaction(
          Effect.gen(function* () {
            const [head] = yield* sql<{ sequence: bigint; hash: string }>`SELECT sequence, hash FROM audit_head FOR UPDATE`
            const sequence = head!.sequence + 1n
            const hash = yield* hashOf(head!.hash, { sequence, ...entry })
            yield* sql`INSERT INTO audit_log (sequence, at, actor, via, source, action, subject, outcome, detail, hash)
              VALUES (${sequence}, ${at}, ${entry.actor}, ${entry.via}, ${entry.source}, ${entry.action}, ${entry.subject},
                ${entry.outcome}, ${JSON.stringify(detail)}::text::jsonb, ${hash})`
            yield* sql`UPDATE audit_head SET sequence = ${sequence}, hash = ${hash}`
          })
        )
      })

      const list = Effect.fn("AuditStore.list")(function* (query: AuditPageQuery) {
        const words = query.filter?.trim() ?? ""
        const pattern = `%${words.replace(/[\\%_]/g, "\\$&")}%`
        const matches =
          words === ""
            ? sql`true`
            : sql`(actor ILIKE ${pattern} OR action ILIKE ${pattern} OR subject ILIKE ${pattern} OR source ILIKE ${pattern})`
        const up = query.order === "ascending"
        const after = /^\d{1,18}$/.test(query.after ?? "") ? BigInt(query.after!) : undefined
        const beyond = after === undefined ? sql`true` : up ? sql`sequence > ${after}` : sql`sequence < ${after}`
        const [count] = yield* sql<{ total: number }>`SELECT count(*)::int AS total FROM audit_log WHERE ${matches}`
        const rows = yield* sql<ChainRow>`
          SELECT sequence, at, actor, via, source, action, subject, outcome, detail, hash FROM audit_log
          WHERE ${matches} AND ${beyond} ORDER BY sequence ${up ? sql`ASC` : sql`DESC`} LIMIT ${query.limit + 1}`
        const items = yield* entries(rows.slice(0, query.limit))
        const last = rows.length > query.limit ? rows[query.limit - 1] : undefined
        return { items, total: count!.total, ...(last === undefined ? {} : { next: last.sequence.toString() }) }
      })

      const forgetBefore = Effect.fn("AuditStore.forgetBefore")(function* (before: Date) {
        return yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`SELECT sequence FROM audit_head FOR UPDATE`
            const [last] = yield* sql<{ sequence: bigint; hash: string }>`SELECT sequence, hash FROM audit_log
              WHERE sequence < coalesce((SELECT min(sequence) FROM audit_log WHERE at >= ${before}), 9223372036854775807)
              ORDER BY sequence DESC LIMIT 1`
            if (last === undefined) return 0
            yield* sql`UPDATE audit_tail SET sequence = ${last.sequence}, hash = ${last.hash}`
            const gone = yield* sql`DELETE FROM audit_log WHERE sequence <= ${last.sequence} RETURNING sequence`
            yield* append({
              actor: "system",
              via: "none",
              source: null,
              action: forgetAction,
              outcome: "done",
              detail: { upTo: last.sequence.toString(), entries: String(gone.length), before: before.toISOString() }
            })
            return gone.length
          })
        )
      })

      /** Both ends, of one moment: entries that are appended meanwhile lie beyond. */
      const ends = sql<{
        head: bigint
        headHash: string
        tail: bigint
        tailHash: string
      }>`SELECT h.sequence AS head, h.hash AS "headHash",
        t.sequence AS tail, t.hash AS "tailHash" FROM audit_head h, audit_tail t`

      /** Nothing is behind `last`, unless entries were forgotten since the ends were read: then all begins anew. */
      const gap = Effect.fnUntraced(function* (entries: number, last: bigint) {
        const [now] = yield* ends
        return now !== undefined && now.tail > last ? yield* verify : { entries, brokenAt: `entry ${last + 1n} is missing` }
      })

      const verify: Effect.Effect<AuditVerdict, SqlError.SqlError> = Effect.gen(function* () {
        const [known] = yield* ends
        if (known === undefined) return { entries: 0, brokenAt: "the end of the chain is not recorded" }
        const { head, headHash, tail, tailHash } = known
        let previous = tailHash
        let last = tail
        let count = 0
        let forgottenUpTo = "0"
        while (last < head) {
          const rows: ReadonlyArray<ChainRow> = yield* sql<ChainRow>`
            SELECT sequence, at, actor, via, source, action, subject, outcome, detail, hash FROM audit_log
            WHERE sequence > ${last} AND sequence <= ${head} ORDER BY sequence LIMIT ${pageRows}`
          if (rows.length === 0) return yield* gap(count, last)
          for (const row of rows) {
            if (row.sequence !== last + 1n) return yield* gap(count, last)
            if ((yield* hashOf(previous, row)) !== row.hash) {
              return {
                entries: count,
                brokenAt: `entry ${row.sequence} of ${DateTime.formatIso(DateTime.makeUnsafe(row.at))} was changed`
              }
            }
            if (row.action === forgetAction) forgottenUpTo = row.detail["upTo"] ?? "0"
            previous = row.hash
            last = row.sequence
            count++
          }
        }
        if (previous !== headHash) return { entries: count, brokenAt: `entry ${last} is not the one that was written last` }
        return { entries: count, brokenAt: forgottenUpTo === tail.toString() ? null : `entries up to ${tail} went without a trace` }
      })

      return AuditStore.of({ append, list, forgetBefore, verify: Effect.withSpan(verify, "AuditStore.verify") })
    })
  )
}
