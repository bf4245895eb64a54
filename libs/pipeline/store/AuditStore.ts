/**
 * Who did what, append-only. Each entry's hash covers the hash before it, so an entry that was changed, removed or slipped in breaks
 * the chain from there on:
 *
 *     hash = hex SHA-256 of  previous hash ‖ JSON [sequence, at, actor, via, source, action, subject, outcome, detail]
 *
 * with `at` in ISO 8601 with milliseconds and `detail` as pairs in the order of their keys. The first entry's previous hash is 64
 * zeros. Anyone with an export can recompute it.
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

const genesis = "0".repeat(64)
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

      const verify = Effect.fn("AuditStore.verify")(function* () {
        // the head first: entries that are appended meanwhile lie beyond it
        const [head] = yield* sql<{ sequence: bigint; hash: string }>`SELECT sequence, hash FROM audit_head`
        if (head === undefined) return { entries: 0, brokenAt: "the end of the chain is not recorded" }
        let previous = genesis
        let last = 0n
        let count = 0
        while (last < head.sequence) {
          const rows: ReadonlyArray<ChainRow> = yield* sql<ChainRow>`
            SELECT sequence, at, actor, via, source, action, subject, outcome, detail, hash FROM audit_log
            WHERE sequence > ${last} AND sequence <= ${head.sequence} ORDER BY sequence LIMIT ${pageRows}`
          if (rows.length === 0) return { entries: count, brokenAt: `entry ${last + 1n} is missing` }
          for (const row of rows) {
            if (row.sequence !== last + 1n) return { entries: count, brokenAt: `entry ${last + 1n} is missing` }
            if ((yield* hashOf(previous, row)) !== row.hash) {
              return {
                entries: count,
                brokenAt: `entry ${row.sequence} of ${DateTime.formatIso(DateTime.makeUnsafe(row.at))} was changed`
              }
            }
            previous = row.hash
            last = row.sequence
            count++
          }
        }
        return { entries: count, brokenAt: previous === head.hash ? null : `entry ${last} is not the one that was written last` }
      })

      return AuditStore.of({ append, list, verify: verify() })
    })
  )
}
