/** `/api/v1/exporters`: what people do about exporters, for programs; and the files of captures. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { CaptureId } from "#domain/Capture.ts"
import { RestApi } from "#domain/http/RestApi.ts"
import { Captures } from "../exporters/Captures.ts"
import { ExporterDesk } from "../exporters/ExporterDesk.ts"
import { conflict, notThere } from "./to-problem.ts"

export const restExporters = HttpApiBuilder.group(
  RestApi,
  "exporters",
  Effect.fnUntraced(function* (group) {
    const desk = yield* ExporterDesk
    const captures = yield* Captures
    return group
      .handle("addExporter", ({ payload }) =>
        desk.add(payload).pipe(
          Effect.map((id) => ({ id })),
          Effect.catchTag("ExporterExists", conflict)
        )
      )
      .handle("changeExporter", ({ params, payload }) =>
        Effect.catchTag(desk.change(params.id, payload), "ExporterNotFound", notThere)
      )
      .handle("forgetExporter", ({ params }) => Effect.catchTag(desk.forget(params.id), "ExporterNotFound", notThere))
      .handle("listCaptures", ({ params }) => captures.list(params.id))
      .handle("startCapture", ({ params, payload }) =>
        desk.capture(params.id, payload).pipe(Effect.catchTags({ ExporterNotFound: notThere, CaptureBusy: conflict }))
      )
      .handleRaw("getCapture", ({ params }) =>
        Effect.gen(function* () {
          const id = CaptureId.make(params.file.slice(0, 16))
          const [capture, path] = yield* Effect.catchTag(captures.file(params.id, id), "CaptureNotFound", notThere)
          yield* desk.fetched(capture)
          return yield* Effect.orDie(
            HttpServerResponse.file(path, {
              contentType: "application/vnd.tcpdump.pcap",
              headers: { "content-disposition": `attachment; filename="exporter-${params.id}-${id}.pcap"` }
            })
          )
        })
      )
      .handle("endCapture", ({ params }) => Effect.catchTag(desk.endCapture(params.capture), "CaptureNotFound", notThere))
  })
)
