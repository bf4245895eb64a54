/** Pages by key: the cursor is the sort values of the last row, so a page costs the same wherever it is, and rows that move are not skipped. */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { FilterInvalid } from "#domain/Topology.ts"

type Fragment = Statement.Fragment

/** One column of a sort, with the type its cursor text is read back as. */
export interface SortColumn {
  readonly sql: string
  readonly type: "text" | "bigint" | "integer" | "float8" | "timestamptz"
}

/** The last column must be unique. Every column sorts in the same order. */
export type Sort = ReadonlyArray<SortColumn>

const shapes: Record<SortColumn["type"], RegExp> = {
  text: /^[^\0]{0,1000}$/s,
  bigint: /^-?[0-9]{1,18}$/,
  integer: /^-?[0-9]{1,9}$/,
  float8: /^-?[0-9]{1,17}(\.[0-9]{1,20})?(e-?[0-9]{1,3})?$/,
  timestamptz: /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?\+00$/
}

export const encodeCursor = (values: ReadonlyArray<string>): string => Buffer.from(JSON.stringify(values)).toString("base64url")

const decodeCursor = (after: string, sort: Sort): ReadonlyArray<string> | undefined => {
  try {
    const values: unknown = JSON.parse(Buffer.from(after, "base64url").toString())
    return Array.isArray(values) &&
      values.length === sort.length &&
      values.every((value, i) => typeof value === "string" && shapes[sort[i]!.type].test(value))
      ? (values as ReadonlyArray<string>)
      : undefined
  } catch {
    return undefined
  }
}

export interface PageSql {
  /** The rows behind the cursor; true for the first page. */
  readonly behind: Fragment
  readonly orderBy: Fragment
  /** The row's own cursor, as a column named `cursor`. */
  readonly cursor: Fragment
}

export const pageSql = (
  sql: SqlClient.SqlClient,
  sort: Sort,
  descending: boolean,
  after: string | undefined
): Effect.Effect<PageSql, FilterInvalid> =>
  Effect.suspend(() => {
    const values = after === undefined ? undefined : decodeCursor(after, sort)
    if (after !== undefined && values === undefined) {
      return Effect.fail(
        new FilterInvalid({ filter: after.slice(0, 100), position: 0, expected: "the next of a page with the same sort" })
      )
    }
    const bound = values
      ?.map((value, i) => sql`${value}::text::${sql.literal(sort[i]!.type)}`)
      .reduce((left, right) => sql`${left}, ${right}`)
    const columns = sort.map((column) => column.sql)
    return Effect.succeed({
      behind:
        bound === undefined
          ? sql`true`
          : sql`(${sql.literal(columns.join(", "))}) ${sql.literal(descending ? "<" : ">")} (${bound})`,
      orderBy: sql.literal(columns.map((column) => `${column} ${descending ? "DESC" : "ASC"}`).join(", ")),
      cursor: sql.literal(`ARRAY[${columns.map((column) => `(${column})::text`).join(", ")}] AS cursor`)
    })
  })

/** `limit + 1` rows were asked for: the one too many says that there is a next page. */
export const cutPage = <A extends { readonly cursor: ReadonlyArray<string> }>(rows: ReadonlyArray<A>, limit: number) => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { rows: shown, next: rows.length > limit && last !== undefined ? encodeCursor(last.cursor) : undefined }
}
