/** Status line, exporters, health, settings. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Exporter, TemplateSummary } from "../Exporter.ts"
import { HealthDetail } from "../Health.ts"
import { ExporterId } from "../ids.ts"
import { SettingReading } from "../Settings.ts"
import { Status } from "../Status.ts"
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

export class ActorNotFound extends Schema.TaggedError<ActorNotFound>()("ActorNotFound", { path: Schema.String }) {
  override get message() {
    return `no actor ${this.path} can be restarted`
  }
}

export class SystemRpcs extends RpcGroup.make(
  Rpc.make("StatusWatch", { success: Status, stream: true }).annotate(Needs, "map.read"),
  Rpc.make("ExportersWatch", { success: Schema.Array(Exporter), stream: true }).annotate(Needs, "exporters.read"),
  Rpc.make("ExporterTemplates", {
    payload: { id: ExporterId },
    success: Schema.Array(TemplateSummary),
    error: ExporterNotFound
  }).annotate(Needs, "exporters.read"),
  Rpc.make("ExporterRename", {
    payload: { id: ExporterId, name: Schema.NullOr(Schema.String.check(Schema.isMaxLength(128))) },
    error: ExporterNotFound
  }).annotate(Needs, "exporters.write"),
  Rpc.make("HealthWatch", { success: HealthDetail, stream: true }).annotate(Needs, "health.read"),
  Rpc.make("ActorRestart", { payload: { path: Schema.String }, error: ActorNotFound }).annotate(Needs, "actors.restart"),
  Rpc.make("SettingsList", { success: Schema.Array(SettingReading) }).annotate(Needs, "settings.read")
) {}
