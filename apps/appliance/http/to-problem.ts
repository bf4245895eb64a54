/** What the stores and desks refuse, as the problem documents that programs get. */
import { Effect } from "effect"
import { Conflict, InputRefused, NotThere } from "#domain/http/problems.ts"
import type { FilterInvalid } from "#domain/Topology.ts"

interface Refusal {
  readonly message: string
}

export const notThere = ({ message }: Refusal) => Effect.fail(new NotThere({ detail: message }))
export const conflict = ({ message }: Refusal) => Effect.fail(new Conflict({ detail: message }))
export const badFilter = ({ expected, filter, message }: FilterInvalid) =>
  Effect.fail(new InputRefused({ detail: message, errors: [{ field: "filter", rule: `expected ${expected}`, value: filter }] }))
