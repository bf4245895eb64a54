/** The one-time code that lets the first administrator in: made at each start while there is no operator, printed, kept as its hash. */
import { Context, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { newSetupCode, normaliseSetupCode, sha256 } from "./secret.ts"

export const hashSetupCode = (code: string): string => sha256(normaliseSetupCode(code))

export class SetupCode extends Context.Service<
  SetupCode,
  {
    /** A new code, which ends the one before it; none when there is an operator. Print it and forget it. */
    readonly codeIfNeeded: Effect.Effect<Option.Option<string>, SqlError.SqlError>
  }
>()("appliance/auth/SetupCode") {
  static readonly layer = Layer.effect(
    SetupCode,
    Effect.gen(function* () {
      const operators = yield* OperatorStore
      return SetupCode.of({
        codeIfNeeded: Effect.gen(function* () {
          const code = newSetupCode()
          return (yield* operators.offerSetup(hashSetupCode(code))) ? Option.some(code) : Option.none()
        })
      })
    })
  )
}
