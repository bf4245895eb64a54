/** `/api/v1/exporters`: how exporters are heard and what people do about them, for programs; and the files of captures. */
import { Effect, Option, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { CaptureId } from "#domain/Capture.ts"
import { RestApi } from "#domain/http/RestApi.ts"
import type { ExporterId } from "#domain/ids.ts"
import { CaptureNotFound, ExporterNotFound } from "#domain/rpc/ExporterRpcs.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { Captures } from "../exporters/Captures.ts"
import { ExporterDesk } from "../exporters/ExporterDesk.ts"
import { Live } from "../rpc/Live.ts"
import { conflict, notThere } from "./to-problem.ts"

export const restExporters = HttpApiBuilder.group(
  RestApi,
  "exporters",
  Effect.fnUntraced(function* (group) {
    const desk = yield* ExporterDesk
    const captures = yield* Captures
    const live = yield* Live
    const store = yield* ExporterStore
    const now = <A>(stream: Stream.Stream<ReadonlyArray<A>>) =>
      Effect.map(
        Stream.runHead(stream),
        Option.getOrElse(() => [])
      )
    const oneOf = <A extends { readonly id: ExporterId }>(all: ReadonlyArray<A>, id: ExporterId) => {
      const found = all.find((each) => each.id === id)
      return found === undefined ? Effect.fail(new ExporterNotFound({ id })) : Effect.succeed(found)
    }
    /** One that was added a moment ago is not among those that are read each second. */
    const exporter = (id: ExporterId) =>
      now(live.exporters).pipe(
        Effect.flatMap((all) => oneOf(all, id)),
        Effect.catchTag("ExporterNotFound", () => Effect.flatMap(store.list, (all) => oneOf(all, id))),
        Effect.catchTag("ExporterNotFound", notThere)
      )
    return group
      .handle("listExporters", () => now(live.exporters))
      .handle("getExporter", ({ params }) => exporter(params.id))
      .handle("listExporterTemplates", ({ params }) => Effect.catchTag(store.templates(params.id), "ExporterNotFound", notThere))
      .handle("getExporterHistory", ({ params }) =>
        now(live.exporterHistory).pipe(
          Effect.flatMap((all) => oneOf(all, params.id)),
          Effect.catchTag("ExporterNotFound", notThere)
        )
      )
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
      .handle("listCaptures", ({ params }) => Effect.andThen(exporter(params.id), captures.list(params.id)))
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
      .handle("endCapture", ({ params: { id, capture } }) =>
        Effect.flatMap(captures.list(id), (all) =>
          all.some((each) => each.id === capture) ? desk.endCapture(capture) : Effect.fail(new CaptureNotFound({ id: capture }))
        ).pipe(Effect.catchTag("CaptureNotFound", notThere))
      )
  })
)
