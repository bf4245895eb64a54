/** Everything that answers over HTTPS, in one list. */
import { Layer } from "effect"
import { HttpRouter } from "effect/http"
import { layerAuthorised } from "../rpc/authorised.ts"
import { Connections } from "../rpc/Connections.ts"
import { layerHandlers } from "../rpc/handlers.ts"
import { PageSizes } from "../rpc/PageSizes.ts"
import { layerRpc } from "../rpc/websocket.ts"
import { layerAccess } from "./access.ts"
import { layerDocs } from "./docs.ts"
import { layerGuard } from "./guard.ts"
import { layerHealth } from "./health.ts"
import { layerMetrics } from "./metrics.ts"
import { layerRest } from "./rest.ts"
import { layerServer, type ServerSettings } from "./server.ts"
import { layerStatic } from "./static.ts"

export interface SurfaceSettings extends ServerSettings {
  /** Live connections at most. */
  readonly maxConnections: number
  /** Until a live connection that nobody was let in on is closed; default 10. */
  readonly strangerSeconds?: number | undefined
  readonly pages: PageSizes["Service"]
  /** Where `npm run build` put the console. */
  readonly consoleFolder: string
}

/** Needs what auth/layer.ts makes, the stores and `Live`; gives `Listening`. */
export const layerSurface = (settings: SurfaceSettings) => {
  const { consoleFolder, maxConnections, pages, strangerSeconds } = settings
  const routes = Layer.mergeAll(
    layerGuard,
    layerAccess,
    layerRest,
    layerDocs,
    layerHealth(consoleFolder),
    layerMetrics,
    layerRpc({ maxConnections, strangerSeconds }).pipe(Layer.provide([layerHandlers, layerAuthorised])),
    layerStatic(consoleFolder)
  ).pipe(Layer.provide([Connections.layer, Layer.succeed(PageSizes, pages)]))
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(Layer.provideMerge(layerServer(settings)))
}
