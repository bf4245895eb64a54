/**
 * The live WebSocket connections and what each brought along in its upgrade request. A call carries the connection's name, which only
 * this process knows: headers that a client writes into its messages cannot name another connection, nor its cookie or origin.
 */
import { Context, Layer } from "effect"

export interface Connection {
  readonly bearer: string | undefined
  readonly session: string | undefined
  /** Remote address. */
  readonly source: string | null
  /** A call on it was let in: it is somebody's. */
  admitted: boolean
}

/** Header of a call that names its connection. */
export const connectionHeader = "flowlens-connection"

export class Connections extends Context.Service<Connections, { readonly live: Map<string, Connection>; refused: number }>()(
  "appliance/rpc/Connections"
) {
  static readonly layer = Layer.sync(Connections, () => Connections.of({ live: new Map(), refused: 0 }))
}

/** Where the current call comes from: the remote address, for the audit log. */
export const CallSource = Context.Reference<string | null>("appliance/rpc/CallSource", { defaultValue: () => null })
