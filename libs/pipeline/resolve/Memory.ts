/**
 * What one resolver keeps between its transactions: which edges are known, and what waits in the journal. All of it can be had again from
 * the database, and is, after a transaction that did not end well.
 */
import { Clock, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { appendEntry, loadEntries } from "./journal/journal.ts"
import { type KnownEdges, makeKnownEdges } from "./journal/KnownEdges.ts"
import type { KnownRows } from "./journal/KnownRows.ts"
import { makePending, type Pending } from "./journal/Pending.ts"
import type { Staged } from "./stage.ts"

type InTransaction<A = void> = Effect.Effect<A, SqlError.SqlError>

export interface Memory {
  readonly known: KnownEdges
  readonly pending: Pending
  /** Ids of the journal's entries that are in `pending`. */
  readonly entries: ReadonlyArray<bigint>
  /** ms since 1970 of the oldest row in `pending`. */
  readonly since: number
  /** Entries of the journal that cannot be read; they stay where they are. */
  readonly unreadable: number
  /** What is in the journal is not known, so far or since a transaction failed. */
  readonly unsure: () => boolean
  /** Needs `lockInventory`. Reads the journal when it is not known what is in it, and what others have to tell. */
  readonly recall: (sql: SqlClient.SqlClient) => InTransaction
  /** Takes rows in; `folding`: they are folded within this transaction and need no entry. */
  readonly note: (sql: SqlClient.SqlClient, windowStart: number, rows: KnownRows, folding: boolean) => InTransaction
  /** From the tables of a transaction that looked edges up; `turned`: numbers of those that met their dependency the other way round. */
  readonly learn: (sql: SqlClient.SqlClient, staged: Staged, turned: ReadonlyArray<number>) => InTransaction
  readonly folded: () => void
  readonly forget: () => void
}

/** Dependencies learned from one slice; the rest with the next. */
const mostLearned = 200_000
/** `resolver_news` goes back so far. */
const newsKept = 1000n

/** `growing`: addresses become assets by themselves, once they were seen often enough. */
export const makeMemory = (growing: boolean): Memory => {
  const known = makeKnownEdges()
  const pending = makePending()
  let entries: Array<bigint> = []
  let since = Number.POSITIVE_INFINITY
  let unreadable = 0
  /** Undefined: nothing here is to be relied on. */
  let epoch: bigint | undefined

  const recall = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
    const [now] = yield* sql<{ epoch: bigint }>`SELECT epoch FROM resolver_epoch`
    if (epoch === undefined) {
      known.clear()
      pending.clear()
      const loaded = yield* loadEntries(sql, pending)
      entries = loaded.ids
      unreadable = loaded.unreadable
      // whoever left them, they have waited long enough
      since = entries.length === 0 ? Number.POSITIVE_INFINITY : 0
    } else if (now!.epoch - epoch >= newsKept) known.clear()
    else if (now!.epoch > epoch) {
      const news = yield* sql<{ id: bigint | null }>`SELECT dependency_id AS id FROM resolver_news WHERE epoch > ${epoch}`
      if (news.some(({ id }) => id === null)) known.clear()
      else known.forget(new Set(news.map(({ id }) => Number(id))))
    }
    epoch = now!.epoch
  })

  const note = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, windowStart: number, rows: KnownRows, folding: boolean) {
    if (rows.edges.length === 0) return
    pending.add(windowStart, rows)
    since = Math.min(since, yield* Clock.currentTimeMillis)
    if (!folding) entries.push(yield* appendEntry(sql, new Date(windowStart), rows))
  })

  const learn = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, staged: Staged, turned: ReadonlyArray<number>) {
    const { client, server, service } = staged.edges
    const { address } = staged.addresses
    if (client.length === 0) return
    const [found] = yield* sql<{ n: ReadonlyArray<number> | null; key: ReadonlyArray<number> | null }>`
      SELECT array_agg(n) AS n, array_agg((id * 2 + turns % 2)::float8) AS key
      FROM (SELECT e.n, d.id, d.turns FROM slice_edge e JOIN dependencies d ON d.id = e.dependency_id
          JOIN assets c ON c.id = d.source_id JOIN assets s ON s.id = d.target_id
        -- what may cross a threshold with its next record is not left to the journal
        WHERE d.status = 'active' AND NOT (${growing} AND (c.status = 'candidate' OR s.status = 'candidate'))
        LIMIT ${mostLearned}) AS active`
    const around = new Set(turned)
    found?.n?.forEach((n, i) => {
      const key = found.key![i]!
      const i0 = n - 1
      const text = (number: number) => address[number - 1]!
      known.learn(text(client[i0]!), text(server[i0]!), service[i0]!, around.has(n) ? (key % 2 === 0 ? key + 1 : key - 1) : key)
    })
  })

  return {
    known,
    pending,
    get entries() {
      return entries
    },
    get since() {
      return since
    },
    get unreadable() {
      return unreadable
    },
    unsure: () => epoch === undefined,
    recall,
    note,
    learn,
    folded: () => {
      pending.clear()
      entries = []
      since = Number.POSITIVE_INFINITY
    },
    forget: () => {
      epoch = undefined
    }
  }
}
