/** The gate of the RPC surface (libs/domain/rpc/Authorised.ts), in front of every call and for as long as its stream lasts. */
import { Cause, Context, Effect, Layer, Option } from "effect"
import { RpcSchema } from "effect/rpc"
import { CurrentCaller } from "#domain/Operator.ts"
import { Authorised, Needs } from "#domain/rpc/Authorised.ts"
import { bearerOf, Gate } from "../auth/Gate.ts"
import { toFault } from "../http/faults.ts"
import { CallSource, Connections, connectionHeader } from "./Connections.ts"

export const layerAuthorised = Layer.effect(
  Authorised,
  Effect.gen(function* () {
    const gate = yield* Gate
    const { live } = yield* Connections
    return Authorised.of((effect, { headers, rpc }) =>
      Effect.gen(function* () {
        const connection = live.get(headers[connectionHeader] ?? "")
        const admitted = yield* gate
          .admit({
            bearer: bearerOf(headers["authorization"]) ?? connection?.bearer,
            session: connection?.session,
            source: connection?.source ?? null
          })
          .pipe(Effect.catchTag("SqlError", Effect.die))
        if (connection !== undefined) connection.admitted = true
        yield* gate.authorise(admitted, Option.getOrUndefined(Context.getOption(rpc.annotations, Needs)))
        const call = effect.pipe(
          Effect.provideService(CurrentCaller, admitted.caller),
          Effect.provideService(CallSource, admitted.source)
        )
        return yield* RpcSchema.isStreamSchema(rpc.successSchema) ? Effect.raceFirst(call, gate.ended(admitted)) : call
      }).pipe(
        Effect.catchCause((cause) =>
          Cause.hasDies(cause) && !Cause.hasInterrupts(cause)
            ? Effect.flatMap(toFault(rpc._tag, cause), Effect.die)
            : Effect.failCause(cause)
        )
      )
    )
  })
)
