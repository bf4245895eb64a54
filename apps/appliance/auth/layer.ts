/** Everything about access, over the stores: what the surface needs and the start prints. */
import { Effect, Layer, Schedule } from "effect"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import { Access } from "./Access.ts"
import { AccessOptions } from "./AccessOptions.ts"
import { Gate } from "./Gate.ts"
import { LocalToken } from "./LocalToken.ts"
import { SetupCode } from "./SetupCode.ts"

/** Old sessions and attempts go once an hour; a database that is away gets its next chance in an hour. */
const layerSweep = Layer.effectDiscard(
  Effect.flatMap(SessionStore, ({ sweep }) =>
    sweep.pipe(Effect.ignoreCause, Effect.repeat(Schedule.spaced("1 hour")), Effect.delay("1 minute"), Effect.forkScoped)
  )
)

export const layerAuth = (options: { readonly access: AccessOptions["Service"]; readonly dataFolder: string }) =>
  Layer.mergeAll(Access.layer, Gate.layer, SetupCode.layer, layerSweep).pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.succeed(AccessOptions, options.access), LocalToken.layer(options.dataFolder)))
  )
