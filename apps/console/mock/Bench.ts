/** What the mock remembers between requests: a world per seed, the sessions, and which seed a request asks for. */
import { randomUUID } from "node:crypto"
import { Caller } from "#domain/Operator.ts"
import type { Role } from "#domain/Role.ts"
import { isSeedName, makeWorld, type SeedName } from "./seed/seeds.ts"
import { instant, type World } from "./seed/World.ts"

export interface MockOptions {
  /** World served when the request has no `mock_seed` cookie. */
  readonly seed?: SeedName
  /** Role of a request without a session; absent: nobody, the console shows its login. */
  readonly as?: Role
  /** Socket life with the seed `stale`, ms, and how long no new one is let in. */
  readonly staleAfterMs?: number
  readonly staleForMs?: number
}

export const mockPassword = "correct horse battery"
export const setupCode = "QRST-7842"
export const sessionCookie = "flowlens_session"
export const seedCookie = "mock_seed"

type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const cookieOf = (headers: Headers, name: string): string | undefined => {
  const header = headers["cookie"]
  return typeof header === "string" ? new RegExp(`(?:^|;\\s*)${name}=([^;]*)`).exec(header)?.[1] : undefined
}

export const makeBench = (options: MockOptions = {}) => {
  const worlds = new Map<SeedName, World>()
  const sessions = new Map<string, Caller>()
  let setupDone = false

  const seedOf = (headers: Headers): SeedName => {
    const asked = cookieOf(headers, seedCookie)
    return isSeedName(asked) ? asked : (options.seed ?? "full")
  }
  const worldOf = (headers: Headers): World => {
    const seed = seedOf(headers)
    let world = worlds.get(seed)
    if (world === undefined) worlds.set(seed, (world = makeWorld(seed)))
    return world
  }
  const caller = (name: string, role: Role) =>
    new Caller({ name, role, via: "session", expiresAt: instant(Date.now() + 8 * 3_600_000) })
  const open = (name: string, role: Role): string => {
    const token = randomUUID()
    sessions.set(token, caller(name, role))
    return token
  }
  return {
    options,
    seedOf,
    worldOf,
    open,
    /** Null: nobody. */
    callerOf: (headers: Headers): Caller | null => {
      const found = sessions.get(cookieOf(headers, sessionCookie) ?? "")
      if (found !== undefined) return seedOf(headers) === "viewer" ? caller(found.name, "viewer") : found
      return options.as === undefined || setupNeeded(headers) ? null : caller(options.as, options.as)
    },
    close: (headers: Headers) => sessions.delete(cookieOf(headers, sessionCookie) ?? ""),
    setupNeeded: (headers: Headers) => setupNeeded(headers),
    finishSetup: () => {
      setupDone = true
    },
    /** Moves every live world on. */
    step: () => {
      for (const world of worlds.values()) world.step()
    }
  }

  function setupNeeded(headers: Headers) {
    return seedOf(headers) === "setup" && !setupDone
  }
}

export type Bench = ReturnType<typeof makeBench>
