import { Effect } from "effect"
import type { ListenerReading } from "#pipeline/ingest/UdpListener.ts"

/** The listeners, once there are any and the ports that the system chooses are known: before that nobody would hear. */
export const openListeners = (
  listeners: Effect.Effect<ReadonlyArray<ListenerReading>>
): Effect.Effect<readonly [ListenerReading, ...ReadonlyArray<ListenerReading>]> =>
  Effect.flatMap(listeners, ([first, ...others]) =>
    first !== undefined && [first, ...others].every(({ port, state }) => state !== "starting" && port !== 0)
      ? Effect.succeed([first, ...others] as const)
      : Effect.andThen(Effect.sleep("100 millis"), openListeners(listeners))
  )
