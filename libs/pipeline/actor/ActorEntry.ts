/**
 * What is known of one actor, as plain data: it crosses a thread boundary as it stands (`ActorReading` in the domain is its wire form). The path is its identity,
 * `flow/worker-1/udp:2055`, and gives the tree.
 */
import * as Cause from "effect/Cause"
import type { MailboxReading } from "./Mailbox.ts"

/**
 * - `starting`: started, has not said that it is ready;
 * - `running`;
 * - `restarting`: failed, waits out a pause before the next attempt;
 * - `given-up`: failed too often in its window; it stays down until somebody restarts it;
 * - `stopped`: ended as asked, or its task is done.
 */
export type ActorState = "starting" | "running" | "restarting" | "given-up" | "stopped"

export interface ActorError {
  /** One line, at most 500 characters. */
  readonly message: string
  /** ms since 1970 */
  readonly at: number
}

export interface ActorEntry {
  readonly path: string
  readonly state: ActorState
  /** In this state since, ms since 1970. */
  readonly since: number
  /** Restarts since the actor was first started. */
  readonly restarts: number
  /** Kept after a restart, so that it can be read when all is well again. */
  readonly lastError: ActorError | null
  readonly mailbox: MailboxReading | null
  /** Whatever else the actor wants seen, name → number. */
  readonly gauges: Readonly<Record<string, number>>
  /** True when another thread or process reported it. */
  readonly remote: boolean
  /** True when `Registry.restart` can reach it. */
  readonly restartable: boolean
}

/** An actor that is down for good and what brought it down: the material of a health warning. */
export interface ActorGivenUp {
  readonly path: string
  /** ms since 1970 */
  readonly since: number
  readonly restarts: number
  readonly cause: string
}

/** True when `path` is `prefix` or lies below it. */
export const isWithin = (prefix: string, path: string): boolean => path === prefix || path.startsWith(`${prefix}/`)

const longest = 500

/** One line that says what went wrong: the error's name and message, then the message of what caused it. */
export const describeCause = (cause: Cause.Cause<unknown>): string => describeError(Cause.squash(cause))

export const describeError = (error: unknown): string => {
  const parts: Array<string> = []
  let current: unknown = error
  // Five steps down a chain of causes say enough, and end a chain that bites its tail.
  for (let depth = 0; current !== undefined && current !== null && depth < 5; depth++) {
    const { name, message } = partsOf(current)
    const text = name === undefined || name === "Error" ? message : message === "" ? name : `${name}: ${message}`
    if (text !== "" && !parts.includes(text)) parts.push(text)
    current = typeof current === "object" ? (current as { cause?: unknown }).cause : undefined
  }
  const line = parts.join(", caused by ").replace(/\s+/g, " ").trim()
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line === "" ? "no message" : line
}

const partsOf = (error: unknown): { readonly name: string | undefined; readonly message: string } => {
  if (typeof error !== "object" || error === null) return { name: undefined, message: String(error) }
  const { _tag, name, message } = error as { _tag?: unknown; name?: unknown; message?: unknown }
  return {
    name: typeof _tag === "string" ? _tag : typeof name === "string" ? name : undefined,
    message: typeof message === "string" ? message : ""
  }
}
