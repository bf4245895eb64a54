/** An entry of the audit log in the name of whoever calls, from where they call. */
import { Effect } from "effect"
import { CurrentCaller } from "#domain/Operator.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { CallSource } from "./Connections.ts"

/** Fails as the store does, so that a change and its entry can stand or fall together in one transaction. */
export const makeRecord = Effect.map(AuditStore, (audit) =>
  Effect.fnUntraced(function* (
    action: string,
    subject: string | null,
    detail: Readonly<Record<string, string>> = {},
    outcome: "done" | "refused" = "done"
  ) {
    const { name, via } = yield* CurrentCaller
    yield* audit.append({ actor: name, via, source: yield* CallSource, action, subject, outcome, detail })
  })
)
