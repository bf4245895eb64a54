/** Who sends flows: how each is heard, what is decided about it, and its captures. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Address } from "../Address.ts"
import { Capture, CaptureId, CaptureRequest } from "../Capture.ts"
import { Exporter, ExporterHistory, ExporterProtocol, TemplateSummary } from "../Exporter.ts"
import { ExporterChange, ExporterName, ExporterPolicy } from "../ExporterPolicy.ts"
import { ExporterId } from "../ids.ts"
import { Needs } from "./Authorised.ts"

export class ExporterNotFound extends Schema.TaggedError<ExporterNotFound>()(
  "ExporterNotFound",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `no exporter ${this.id}`
  }
}

export class ExporterExists extends Schema.TaggedError<ExporterExists>()("ExporterExists", {
  address: Schema.String,
  protocol: ExporterProtocol
}) {
  override get message() {
    return `an exporter ${this.address} with ${this.protocol} is known already`
  }
}

export class CaptureNotFound extends Schema.TaggedError<CaptureNotFound>()("CaptureNotFound", { id: Schema.String }) {
  override get message() {
    return `no capture ${this.id}`
  }
}

/** One at a time per exporter, and few in all. */
export class CaptureBusy extends Schema.TaggedError<CaptureBusy>()("CaptureBusy", { why: Schema.String }) {
  override get message() {
    return `could not start a capture: ${this.why}`
  }
}

export const ExporterAddition = Schema.Struct({
  address: Address,
  protocol: ExporterProtocol,
  name: Schema.NullOr(ExporterName)
})

export class ExporterRpcs extends RpcGroup.make(
  Rpc.make("ExportersWatch", { success: Schema.Array(Exporter), stream: true }).annotate(Needs, "exporters.read"),
  Rpc.make("ExporterTemplates", {
    payload: { id: ExporterId },
    success: Schema.Array(TemplateSummary),
    error: ExporterNotFound
  }).annotate(Needs, "exporters.read"),
  /** The last hour of every exporter, once and again each minute. */
  Rpc.make("ExporterHistoryWatch", { success: Schema.Array(ExporterHistory), stream: true }).annotate(Needs, "exporters.read"),
  /** Known and approved before its first datagram. */
  Rpc.make("ExporterAdd", { payload: ExporterAddition, success: ExporterId, error: ExporterExists }).annotate(
    Needs,
    "exporters.write"
  ),
  /** The answer is the policy before the change: what an undo puts back. */
  Rpc.make("ExporterChange", {
    payload: { id: ExporterId, change: ExporterChange },
    success: Schema.Struct({ name: Schema.NullOr(Schema.String), policy: ExporterPolicy }),
    error: ExporterNotFound
  }).annotate(Needs, "exporters.write"),
  /** Its row, name and policy go; should it send again, it is new. */
  Rpc.make("ExporterForget", { payload: { id: ExporterId }, error: ExporterNotFound }).annotate(Needs, "exporters.write"),
  Rpc.make("CaptureStart", {
    payload: { id: ExporterId, request: CaptureRequest },
    success: Capture,
    error: Schema.Union([ExporterNotFound, CaptureBusy])
  }).annotate(Needs, "exporters.write"),
  /** Ends a running one and keeps what it has; a second time, or of one that has ended, removes its file. */
  Rpc.make("CaptureEnd", { payload: { id: CaptureId }, error: CaptureNotFound }).annotate(Needs, "exporters.write"),
  /** Captures of one exporter, newest first, as they go on. */
  Rpc.make("CapturesWatch", { payload: { id: ExporterId }, success: Schema.Array(Capture), stream: true }).annotate(
    Needs,
    "exporters.read"
  )
) {}
