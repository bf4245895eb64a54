/** The console as it was built: hashed files kept by the browser for good, everything else asked for anew; unknown paths are the app's. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerRequest, HttpServerResponse, HttpStaticServer } from "effect/http"
import { pathOf } from "./guard.ts"

const hashed = /^\/bundle\/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/

const notBuilt = HttpServerResponse.text(
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>FlowLens</title>
<h1>The console was not built</h1>
<p>The appliance runs, and its API and command line work. To have the console too, run <code>npm run build</code> in the checkout; no
restart is needed.</p></html>`,
  { status: 503, contentType: "text/html; charset=utf-8" }
)

/** Answers any path with a file of the console, or with the app itself. */
export const consoleFiles = (folder: string) =>
  Effect.map(HttpStaticServer.make({ root: folder, spa: true }), (files) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      if (!existsSync(join(folder, "index.html"))) return notBuilt
      const response = yield* files
      const path = pathOf(request.url)
      return HttpServerResponse.setHeader(
        response,
        "cache-control",
        response.status === 200 && hashed.test(path) ? "public, max-age=31536000, immutable" : "no-cache"
      )
    }).pipe(HttpMiddleware.compression())
  )

/** Everything that no other route answers. */
export const layerStatic = (folder: string) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      yield* router.add("GET", "/*", yield* consoleFiles(folder))
    })
  )
