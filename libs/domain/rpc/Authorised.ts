/** The one gate of the RPC surface: who calls, and whether this call's capability is granted to their role. */
import { Context, Schema } from "effect"
import { RpcMiddleware } from "effect/rpc"
import { type CurrentCaller, Forbidden, Unauthorized } from "../Operator.ts"
import type { Capability } from "../Role.ts"

/** Annotation every RPC carries; an RPC without it is refused to everyone. */
export class Needs extends Context.Service<Needs, Capability | "caller">()("domain/rpc/Needs") {}

export class Authorised extends RpcMiddleware.Service<Authorised, { provides: CurrentCaller }>()("domain/rpc/Authorised", {
  error: Schema.Union([Unauthorized, Forbidden])
}) {}
