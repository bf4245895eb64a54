/** What went wrong, in the words of the page that shows it. */
import { Cause } from "effect"

export interface Fault {
  /** Lower case, factual, no full stop. */
  readonly message: string
  /** Quoted to support: the error's tag. */
  readonly code: string
  /** `connection` and `appliance` may pass by themselves and are asked again; `answer` is the appliance's considered no. */
  readonly kind: "connection" | "appliance" | "answer" | "session"
  /** The typed error itself, for those who know more to do with it. */
  readonly error: unknown
}

const tagOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string" ? error._tag : undefined

export const faultOf = (error: unknown): Fault => {
  const tag = tagOf(error)
  const message = error instanceof Error && error.message !== "" ? error.message : String(error)
  if (tag === "RpcClientError") {
    const reason = tagOf((error as unknown as { readonly reason: unknown }).reason) ?? "unknown"
    return reason.startsWith("Socket")
      ? { kind: "connection", code: reason, message: "the connection to the appliance is lost", error }
      : { kind: "appliance", code: reason, message: "the appliance sent what this console cannot read", error }
  }
  if (tag === "Unauthorized") return { kind: "session", code: tag, message, error }
  if (tag === undefined)
    return { kind: "appliance", code: "Defect", message: "the appliance could not answer; its log has the cause", error }
  return { kind: "answer", code: tag, message, error }
}

export const faultOfCause = (cause: Cause.Cause<unknown>): Fault => faultOf(Cause.squash(cause))
