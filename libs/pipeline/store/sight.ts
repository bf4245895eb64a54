/** Who looks at an instant, and since when and why nobody does: what the map, the Overview and a report say of blindness. */
import { DateTime, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Blindness } from "#domain/CoverageReport.ts"
import { coverageReasons } from "#domain/coverage.ts"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { type LedgerRow, termsOfRow } from "./coverage-cells.ts"

export interface Observer {
  readonly subnet: string
  readonly exporter: string
  readonly records: bigint
  /** ms since 1970 */
  readonly firstSeen: number
  readonly lastSeen: number
}

const millis = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`

/**
 * Who normally saw a network (all of them without `subnet`) at an instant: at least one record of a hundred of what the one saw that
 * sees most, and within a week of the last time anybody saw it.
 */
export const usualObservers = (
  sql: SqlClient.SqlClient,
  at: Date,
  subnet?: string
): Effect.Effect<ReadonlyArray<Observer>, SqlError.SqlError> =>
  sql<Observer>`SELECT subnet, exporter, records, "firstSeen", "lastSeen" FROM (
      SELECT subnet::text, host(exporter) AS exporter, records, ${sql.literal(millis("first_seen"))} AS "firstSeen",
        ${sql.literal(millis("last_seen"))} AS "lastSeen", last_seen, max(records) OVER w AS most, max(last_seen) OVER w AS newest
      FROM coverage_subnet
      WHERE first_seen <= ${at} ${subnet === undefined ? sql`` : sql`AND subnet = ${subnet}::text::cidr`}
      WINDOW w AS (PARTITION BY subnet)) c
    WHERE records * 100 >= most AND last_seen >= newest - interval '7 days'
    ORDER BY subnet, records DESC, exporter`

interface Looker {
  readonly id: bigint
  readonly address: string
  readonly name: string | null
  readonly protocol: ExporterProtocol
  readonly lastSeen: number
  /** Of the last span that began by then. */
  readonly since: number | null
  readonly until: number | null
  readonly open: boolean | null
}

export interface Sight {
  readonly at: Date
  /**
   * Undefined while one of them looks; also where the ledger knows nothing of that time. `id`: only this exporter of the address. Asked
   * the same again, it is the same object.
   */
  readonly blindness: (addresses: ReadonlyArray<string>, id?: string) => Blindness | undefined
  /** Addresses that look; undefined where the ledger knows nothing of that time. */
  readonly looking: () => ReadonlyArray<string> | undefined
  readonly name: (address: string) => string | null
  readonly count: () => { readonly looking: number; readonly exporters: number }
}

/** A span that goes on was last written so long ago at most. */
const beatMs = 30_000

/** `live`: what is open looks, whenever it was last written. */
export const readSight = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, at: Date, live: boolean) {
  const lookers = yield* sql<Looker>`SELECT e.id, host(e.address) AS address, e.name, e.protocol,
      ${sql.literal(millis("e.last_seen"))} AS "lastSeen", ${sql.literal(millis("s.since"))} AS since,
      ${sql.literal(millis("s.until"))} AS until, s.open
    FROM exporters e LEFT JOIN LATERAL (
      SELECT * FROM coverage_span s WHERE s.exporter_id = e.id AND s.since <= ${at} ORDER BY s.since DESC LIMIT 1) s ON true
    ORDER BY e.address, e.protocol`
  const [ledger] = yield* sql<{ began: number | null }>`SELECT ${sql.literal(millis("min(since)"))} AS began FROM coverage_span`
  const then = at.getTime()
  const began = ledger?.began ?? Number.POSITIVE_INFINITY
  const looks = ({ since, until, open }: Looker) =>
    since !== null && until !== null && ((open === true && (live || then <= until + beatMs)) || (!(live && !open) && then <= until))
  const away = lookers.filter((one) => !looks(one))
  const badly = new Map<bigint, string>()
  if (away.length > 0 && began <= then) {
    // heard, and yet not looking: what its last window says
    const rows = yield* sql<
      LedgerRow & { id: bigint }
    >`SELECT e.id, host(e.address) AS address, e.name, e.protocol, c.time AS at, c.seconds,
        c.heard_seconds AS "heardSeconds", c.datagrams, c.records, c.sequence_lost AS "sequenceLost", c.malformed,
        c.held_dropped AS "heldDropped", c.held_sets AS "heldSets", c.refused, c.kernel_share AS "kernelShare",
        c.discarded_share AS "discardedShare", c.pressure, c.sampling, c.skew_ms AS "skewMs"
      FROM unnest(string_to_array(${away.map(({ id }) => String(id)).join(" ")}, ' ')::bigint[]) AS a(id) JOIN exporters e ON e.id = a.id
      CROSS JOIN LATERAL (SELECT * FROM coverage c WHERE c.exporter_id = e.id AND c.time <= ${at}
        AND c.time > ${at}::timestamptz - interval '2 hours' ORDER BY c.time DESC LIMIT 1) c
      WHERE c.time + make_interval(secs => c.seconds) > ${at}::timestamptz - interval '1 minute'`
    for (const row of rows) {
      const terms = termsOfRow(row)
      const [first] = coverageReasons({ ...terms, heardSeconds: terms.seconds })
      if (row.heardSeconds > 0 && first !== undefined) badly.set(row.id, first)
    }
  }
  const boots = yield* sql<{
    since: number
  }>`SELECT ${sql.literal(millis("max(started_at)"))} AS since FROM boots WHERE started_at <= ${at}`
  const booted = boots[0]?.since ?? Number.NEGATIVE_INFINITY
  const byAddress = Map.groupBy(lookers, ({ address }) => address)
  const called = (one: Looker) => one.name ?? one.address

  const told = new Map<string, Blindness | undefined>()
  const blindness = (addresses: ReadonlyArray<string>, id?: string): Blindness | undefined => {
    const key = [...addresses, id].join(" ")
    if (!told.has(key)) told.set(key, blindnessOf(addresses, id))
    return told.get(key)
  }
  const blindnessOf = (addresses: ReadonlyArray<string>, id: string | undefined): Blindness | undefined => {
    if (then < began) return undefined
    const these = addresses
      .flatMap((address) => byAddress.get(address) ?? [])
      .filter((one) => id === undefined || String(one.id) === id)
    if (these.some(looks)) return undefined
    if (these.length === 0)
      return {
        since: null,
        why: addresses.length === 1 ? `exporter ${addresses[0]} is no longer known` : "its exporters are no longer known"
      }
    const since = Math.max(...these.map((one) => one.until ?? Math.min(one.lastSeen, then)))
    // one that sends two protocols is one thing to look for
    const silent = [...new Set(these.filter(({ id: of }) => !badly.has(of)).map(called))]
    const down = silent.length > 0 && since < booted
    const why = [
      ...(silent.length === 0
        ? []
        : [`exporter${silent.length > 1 ? "s" : ""} ${listed(silent)} silent${down ? " since the appliance was down" : ""}`]),
      ...these.flatMap((one) => (badly.has(one.id) ? [`exporter ${called(one)}: ${badly.get(one.id)}`] : []))
    ].join("; ")
    return { since: DateTime.makeUnsafe(since), why }
  }
  return {
    at,
    blindness,
    looking: () => (then < began ? undefined : [...new Set(lookers.filter(looks).map(({ address }) => address))]),
    name: (address) => byAddress.get(address)?.find(({ name }) => name !== null)?.name ?? null,
    count: () => ({ looking: lookers.filter(looks).length, exporters: lookers.length })
  } satisfies Sight
})

const listed = (names: ReadonlyArray<string>) =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`
