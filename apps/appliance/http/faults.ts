/** What a caller is told when something broke here: never a query, a path or a stack; those are in the log under the reference. */

import { randomUUID } from "node:crypto"
import { Cause, Effect } from "effect"
import type { SqlError } from "effect/sql"

/** Something failed inside. `retry` says whether it may work later. */
export class Fault extends Error {
  override readonly name = "Fault"
  readonly retry: boolean
  constructor(message: string, retry: boolean) {
    super(message)
    this.retry = retry
  }
}

const awayReasons = new Set(["ConnectionError", "StatementTimeoutError", "LockTimeoutError", "AuthenticationError"])

const isSqlError = (value: unknown): value is SqlError.SqlError =>
  typeof value === "object" && value !== null && (value as { readonly _tag?: unknown })._tag === "SqlError"

/** True when the database did not answer: it may tomorrow. SQLSTATE class 57P0x is a server that stops or starts. */
export const isDatabaseAway = (error: unknown): boolean => {
  if (!isSqlError(error)) return false
  const { _tag, cause } = error.reason as { readonly _tag: string; readonly cause?: { readonly code?: unknown } }
  return awayReasons.has(_tag) || /^(57P|08|53)/.test(String(cause?.code ?? ""))
}

export const databaseAway = "the database does not answer; try again when the Health page shows it is back"

/** Logs what really happened and gives the sentence for the caller. */
export const toFault = (what: string, cause: Cause.Cause<unknown>): Effect.Effect<Fault> =>
  Effect.suspend(() => {
    const error = Cause.squash(cause)
    if (error instanceof Fault) return Effect.succeed(error)
    if (isDatabaseAway(error)) {
      return Effect.as(Effect.logWarning(`${what}: the database does not answer`), new Fault(databaseAway, true))
    }
    const reference = randomUUID().slice(0, 8)
    return Effect.as(
      Effect.logError(`${what} failed, reference ${reference}`, cause),
      new Fault(`the appliance failed at this; its log has the cause under reference ${reference}`, false)
    )
  })
