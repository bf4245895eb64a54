/** Every RPC with what answers it. */
import { Effect } from "effect"
import { Rpcs } from "#domain/rpc/Rpcs.ts"
import { accessHandlers } from "./AccessHandlers.ts"
import { exporterHandlers } from "./ExporterHandlers.ts"
import { mapHandlers } from "./MapHandlers.ts"
import { systemHandlers } from "./SystemHandlers.ts"

export const layerHandlers = Rpcs.toLayer(
  Effect.gen(function* () {
    return Rpcs.of({
      ...(yield* mapHandlers),
      ...(yield* systemHandlers),
      ...(yield* exporterHandlers),
      ...(yield* accessHandlers)
    })
  })
)
