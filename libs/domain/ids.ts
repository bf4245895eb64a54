/** Branded ids. Rows have `bigint` identities; ids travel as decimal text so that nothing rounds them. */
import { Schema } from "effect"

const RowId = Schema.String.check(Schema.isPattern(/^[1-9][0-9]{0,18}$/, { description: "a positive decimal id" }))

export const AssetId = RowId.pipe(Schema.brand("AssetId"))
export type AssetId = typeof AssetId.Type
export const DependencyId = RowId.pipe(Schema.brand("DependencyId"))
export type DependencyId = typeof DependencyId.Type
export const ExporterId = RowId.pipe(Schema.brand("ExporterId"))
export type ExporterId = typeof ExporterId.Type
export const OperatorId = RowId.pipe(Schema.brand("OperatorId"))
export type OperatorId = typeof OperatorId.Type
export const TokenId = RowId.pipe(Schema.brand("TokenId"))
export type TokenId = typeof TokenId.Type

/** Octets, packets, flows: exact past 2^53, decimal text on the wire (FL-DB-15). */
export const Count = Schema.BigIntFromString
/** ISO 8601 with zone on the wire, `DateTime.Utc` in code. */
export const Instant = Schema.DateTimeUtcFromString

/** One page of a list, by key. `next` is opaque; absent on the last page. `total` counts what the filter matches. */
export const Page = <S extends Schema.Top>(item: S) =>
  Schema.Struct({
    items: Schema.Array(item),
    total: Schema.Int,
    next: Schema.optionalKey(Schema.String)
  })

export const SortOrder = Schema.Literals(["ascending", "descending"])

/** What every list takes: a filter line in the console's grammar, a sort, a page. `limit` is refused above `api.pagination.maximum`. */
export const listQuery = <const Keys extends ReadonlyArray<string>>(keys: Keys) =>
  Schema.Struct({
    filter: Schema.optionalKey(Schema.String),
    sort: Schema.optionalKey(Schema.Literals(keys)),
    order: Schema.optionalKey(SortOrder),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
    after: Schema.optionalKey(Schema.String)
  })
