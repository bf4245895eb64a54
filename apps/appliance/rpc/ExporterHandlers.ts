/** Exporters: how each is heard, what is decided about it, its captures. */
import { Effect } from "effect"
import { ExporterRpcs } from "#domain/rpc/ExporterRpcs.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { Captures } from "../exporters/Captures.ts"
import { ExporterDesk } from "../exporters/ExporterDesk.ts"
import { Live } from "./Live.ts"

export const exporterHandlers = Effect.gen(function* () {
  const live = yield* Live
  const exporters = yield* ExporterStore
  const desk = yield* ExporterDesk
  const captures = yield* Captures
  return ExporterRpcs.of({
    ExportersWatch: () => live.exporters,
    ExporterTemplates: ({ id }) => exporters.templates(id),
    ExporterHistoryWatch: () => live.exporterHistory,
    ExporterAdd: (addition) => desk.add(addition),
    ExporterChange: ({ id, change }) => desk.change(id, change),
    ExporterForget: ({ id }) => desk.forget(id),
    CaptureStart: ({ id, request }) => desk.capture(id, request),
    CaptureEnd: ({ id }) => desk.endCapture(id),
    CapturesWatch: ({ id }) => captures.watch(id)
  })
})
