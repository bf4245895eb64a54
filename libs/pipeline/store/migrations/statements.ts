/** A migration is a list of plain SQL statements; the driver takes one at a time. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Statements end with `;` at the end of a line, outside of `$$ … $$`. */
export const split = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let current = ""
  let quoted = false
  for (const line of text.split("\n")) {
    current += `${line}\n`
    if ((line.match(/\$\$/g) ?? []).length % 2 === 1) quoted = !quoted
    if (!quoted && line.trimEnd().endsWith(";")) {
      found.push(current.trim())
      current = ""
    }
  }
  if (current.trim() !== "") found.push(current.trim())
  return found
}

export const statements = (text: TemplateStringsArray) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    // an index on a large table takes longer than any query may
    yield* sql`SET LOCAL statement_timeout = 0`
    for (const statement of split(text.join(""))) yield* sql.unsafe(statement)
  })
