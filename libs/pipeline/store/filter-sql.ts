/**
 * A filter as a parameterised condition. Whatever was typed reaches the database as a parameter; only names and operators from the tables
 * below are text. Aliases are fixed: `a` is an asset; `d` a dependency with its ends `c` (client) and `s` (server).
 */

import type { SqlClient, Statement } from "effect/sql"
import type { Filter, Term } from "#domain/filter.ts"
import type { Comparison, Condition, NumberField } from "#domain/filter-fields.ts"
import { texts } from "./arrays.ts"
import { isBlind } from "./blind.ts"
import type { Sight } from "./sight.ts"

type Fragment = Statement.Fragment

export interface FilterOptions {
  /** ms since 1970; ages are counted from here. */
  readonly now: number
}

export interface DependencyFilterOptions extends FilterOptions {
  /** Below it a dependency is weak. */
  readonly confidenceThreshold: number
  /** Who looks, at the instant that is asked about. */
  readonly sight: Sight
}

/** `%`, `_` and `\` mean themselves. */
export const likePattern = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`

const operators: Record<Comparison, string> = { "<": "<", "<=": "<=", "=": "=", ">=": ">=", ">": ">" }
const turned: Record<Comparison, string> = { "<": ">", "<=": ">=", "=": "=", ">=": "<=", ">": "<" }

const assetNumbers: Partial<Record<NumberField, string>> = {
  confidence: "a.confidence",
  bytes: "a.bytes",
  flows: "a.flows",
  clients: "a.clients",
  servers: "a.servers"
}
const dependencyNumbers: Partial<Record<NumberField, string>> = {
  confidence: "d.confidence",
  bytes: "d.total_bytes",
  flows: "d.total_flows"
}

/** An address is in the network. Of assets: an address they have now. */
const holds = (sql: SqlClient.SqlClient, network: string): Fragment =>
  sql`a.id IN (SELECT held.asset_id FROM asset_address held WHERE held.until IS NULL AND held.address <<= ${network}::text::inet)`

const named = (sql: SqlClient.SqlClient, text: string): Fragment =>
  sql`(a.name ILIKE ${likePattern(text)} OR a.fqdn ILIKE ${likePattern(text)})`

/** Ages look at the hour first, which has an index; `before` is an instant. */
const seen = (
  sql: SqlClient.SqlClient,
  alias: "a" | "d",
  column: "seen" | "first",
  compare: Comparison,
  before: Date
): Fragment => {
  const operator = sql.literal(turned[compare])
  if (column === "first") return sql`${sql.literal(`${alias}.first_seen`)} ${operator} ${before}`
  // date_trunc keeps the order, so the hour bounds in the same direction
  const hourOperator = sql.literal(turned[compare] === ">" ? ">=" : turned[compare] === "<" ? "<=" : turned[compare])
  return sql`(${sql.literal(`${alias}.seen_hour`)} ${hourOperator} date_trunc('hour', ${before}::timestamptz, 'UTC')
    AND ${sql.literal(`${alias}.last_seen`)} ${operator} ${before})`
}

/** A condition that an asset (`a`) can answer; undefined when only a dependency can. */
const assetCondition = (sql: SqlClient.SqlClient, condition: Condition, options: FilterOptions): Fragment | undefined => {
  switch (condition.kind) {
    case "word":
      return sql`(a.name ILIKE ${likePattern(condition.text)} OR a.fqdn ILIKE ${likePattern(condition.text)} OR a.tags @> ARRAY[${condition.text}]::text[])`
    case "network":
      return holds(sql, condition.network)
    case "text":
      switch (condition.field) {
        case "tag":
          return sql`a.tags @> ARRAY[${condition.text}]::text[]`
        case "environment":
          return sql`lower(a.environment) = lower(${condition.text})`
        case "service":
          return sql`EXISTS (SELECT 1 FROM services v WHERE v.asset_id = a.id AND lower(v.name) = lower(${condition.text}))`
        case "name":
          return named(sql, condition.text)
        default:
          return undefined
      }
    case "type":
      return sql`a.asset_type = ANY(${texts(condition.types)}::text[])`
    case "internal":
      return sql`a.internal = ${condition.internal}`
    case "port":
      return sql`EXISTS (SELECT 1 FROM services v WHERE v.asset_id = a.id AND v.port BETWEEN ${condition.from} AND ${condition.to})`
    case "protocol":
      return sql`EXISTS (SELECT 1 FROM services v WHERE v.asset_id = a.id AND v.protocol = ${condition.protocol})`
    case "number": {
      const column = assetNumbers[condition.field]
      return column === undefined
        ? undefined
        : sql`${sql.literal(column)} ${sql.literal(operators[condition.compare])} ${condition.value}::float8`
    }
    case "age":
      return seen(sql, "a", condition.field, condition.compare, new Date(options.now - condition.seconds * 1000))
    case "state":
    case "blind":
      return undefined
  }
}

/** Assets that fit, as a set; an end is tested for being in it. */
const endIn = (sql: SqlClient.SqlClient, column: "source_id" | "target_id", condition: Fragment): Fragment =>
  sql`${sql.literal(`d.${column}`)} IN (SELECT a.id FROM assets a WHERE ${condition})`

const eitherEnd = (sql: SqlClient.SqlClient, condition: Fragment): Fragment =>
  sql`(${endIn(sql, "source_id", condition)} OR ${endIn(sql, "target_id", condition)})`

const dependencyCondition = (sql: SqlClient.SqlClient, condition: Condition, options: DependencyFilterOptions): Fragment => {
  switch (condition.kind) {
    case "network":
      return condition.end === "any"
        ? eitherEnd(sql, holds(sql, condition.network))
        : endIn(sql, condition.end === "client" ? "source_id" : "target_id", holds(sql, condition.network))
    case "text":
      switch (condition.field) {
        case "client":
          return endIn(sql, "source_id", named(sql, condition.text))
        case "server":
          return endIn(sql, "target_id", named(sql, condition.text))
        case "service":
          return sql`d.inferred_service = lower(${condition.text})`
        case "tag":
          return sql`(d.tags @> ARRAY[${condition.text}]::text[] OR ${eitherEnd(sql, assetCondition(sql, condition, options)!)})`
        default:
          return eitherEnd(sql, assetCondition(sql, condition, options)!)
      }
    case "word":
      return sql`(d.inferred_service = lower(${condition.text}) OR d.notes ILIKE ${likePattern(condition.text)}
        OR d.tags @> ARRAY[${condition.text}]::text[] OR ${eitherEnd(sql, assetCondition(sql, condition, options)!)})`
    case "internal":
      return sql`d.is_internal = ${condition.internal}`
    case "port":
      return condition.from === condition.to
        ? sql`d.port = ${condition.from}`
        : sql`d.port BETWEEN ${condition.from} AND ${condition.to}`
    case "protocol":
      return sql`d.protocol = ${condition.protocol}`
    case "state":
      return stateIs(sql, condition.state, options.confidenceThreshold)
    case "blind":
      return condition.blind ? isBlind(sql, options.sight) : sql`NOT ${isBlind(sql, options.sight)}`
    case "number": {
      const column = dependencyNumbers[condition.field]
      return column === undefined
        ? sql`false`
        : sql`${sql.literal(column)} ${sql.literal(operators[condition.compare])} ${condition.value}::float8`
    }
    case "age":
      return seen(sql, "d", condition.field, condition.compare, new Date(options.now - condition.seconds * 1000))
    case "type":
      return eitherEnd(sql, assetCondition(sql, condition, options)!)
  }
}

const stateIs = (sql: SqlClient.SqlClient, state: "active" | "stale" | "weak", confidenceThreshold: number): Fragment =>
  state === "stale"
    ? sql`d.status = 'stale'`
    : state === "weak"
      ? sql`(d.status = 'active' AND d.confidence < ${confidenceThreshold}::float8)`
      : sql`(d.status = 'active' AND d.confidence >= ${confidenceThreshold}::float8)`

const all = (sql: SqlClient.SqlClient, filter: Filter, one: (term: Term) => Fragment): Fragment =>
  filter.length === 0
    ? sql`true`
    : sql.and(filter.map((term) => (term.negated ? sql`NOT COALESCE(${one(term)}, false)` : one(term))))

export const assetFilterSql = (sql: SqlClient.SqlClient, filter: Filter, options: FilterOptions): Fragment =>
  all(sql, filter, (term) => assetCondition(sql, term.condition, options) ?? sql`false`)

export const dependencyFilterSql = (sql: SqlClient.SqlClient, filter: Filter, options: DependencyFilterOptions): Fragment =>
  all(sql, filter, (term) => dependencyCondition(sql, term.condition, options))
