/** Status line, health, settings. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { HealthDetail } from "../Health.ts"
import { SettingReading } from "../Settings.ts"
import { Status } from "../Status.ts"
import { Needs } from "./Authorised.ts"

export class ActorNotFound extends Schema.TaggedError<ActorNotFound>()("ActorNotFound", { path: Schema.String }) {
  override get message() {
    return `no actor ${this.path} can be restarted`
  }
}

export class SystemRpcs extends RpcGroup.make(
  Rpc.make("StatusWatch", { success: Status, stream: true }).annotate(Needs, "map.read"),
  Rpc.make("HealthWatch", { success: HealthDetail, stream: true }).annotate(Needs, "health.read"),
  Rpc.make("ActorRestart", { payload: { path: Schema.String }, error: ActorNotFound }).annotate(Needs, "actors.restart"),
  Rpc.make("SettingsList", { success: Schema.Array(SettingReading) }).annotate(Needs, "settings.read")
) {}
