/** Status line, health, settings, operators, tokens and audit of the seeded world. */
import { Effect, Stream } from "effect"
import { ActorReading, HealthDetail, SpoolState } from "#domain/Health.ts"
import { OperatorId, TokenId } from "#domain/ids.ts"
import { CurrentCaller, Operator, Token } from "#domain/Operator.ts"
import type { Role } from "#domain/Role.ts"
import {
  AccessRpcs,
  LastAdministrator,
  OperatorExists,
  OperatorNotFound,
  RoleTooHigh,
  TokenNotFound
} from "#domain/rpc/AccessRpcs.ts"
import { Authorised } from "#domain/rpc/Authorised.ts"
import { ActorNotFound, SystemRpcs } from "#domain/rpc/SystemRpcs.ts"
import type { Bench } from "./Bench.ts"
import { statusOf } from "./map-handlers.ts"
import { pageOf } from "./page.ts"
import { storageOf } from "./seed/storage.ts"
import { instant, type World } from "./seed/World.ts"

const healthOf = (world: World): HealthDetail => {
  const datagrams = world.actors.reduce((sum, a) => sum + (a.path.includes("udp:") ? (a.gauges["datagrams"] ?? 0) : 0), 0)
  const waiting = datagrams > 0 ? 1 : 0
  return new HealthDetail({
    status: world.warnings.length > 0 ? "degraded" : "healthy",
    version: "0.1.0",
    startedAt: instant(world.startedAt),
    actors: world.actors,
    warnings: world.warnings,
    flow: {
      datagrams: BigInt(datagrams),
      records: BigInt(datagrams) * 24n,
      malformed: datagrams > 0 ? 3n : 0n,
      refused: 0n,
      kernelDropped: 0n,
      failed: 0n,
      late: datagrams > 0 ? 214n : 0n,
      lostOpenSlices: 0n
    },
    database: {
      reachable: true,
      embedded: true,
      roundTripMs: 2.4,
      sizeBytes: datagrams > 0 ? 812_441_600n : 9_830_400n,
      version: "18.4"
    },
    spool: new SpoolState({
      files: waiting,
      bytes: waiting * 6_251_824,
      limitBytes: 4 * 1024 ** 3,
      setAside: 0,
      waitingSlices: waiting,
      waitingWindows: waiting,
      waitingRecords: BigInt(waiting) * 61_204n,
      memoryBytes: waiting * 6_251_824,
      oldestSeconds: waiting * 14,
      replayedSlices: 0,
      replayedRecords: 0n,
      lostRecords: 0n,
      writes: 214,
      writtenSlices: 860
    }),
    storage: storageOf(Date.now(), datagrams > 0),
    memoryBytes: 412_000_000,
    disk: { freeBytes: 61_200_000_000, totalBytes: 107_400_000_000 }
  })
}

const rank: Record<Role, number> = { viewer: 0, analyst: 1, operator: 2, admin: 3 }

export const systemHandlers = (bench: Bench) => {
  const world = (headers: Record<string, string>) => Effect.sync(() => bench.worldOf(headers))
  return SystemRpcs.middleware(Authorised).of({
    StatusWatch: (_, { headers }) => Stream.tick("1 second").pipe(Stream.mapEffect(() => Effect.map(world(headers), statusOf))),
    HealthWatch: (_, { headers }) => Stream.tick("2 seconds").pipe(Stream.mapEffect(() => Effect.map(world(headers), healthOf))),
    ActorRestart: Effect.fnUntraced(function* ({ path }, { headers }) {
      const w = yield* world(headers)
      if (!w.actors.some((a) => a.path === path)) return yield* new ActorNotFound({ path })
      w.actors = w.actors.map((a) =>
        a.path === path ? new ActorReading({ ...a, restarts: a.restarts + 1, since: instant(Date.now()) }) : a
      )
    }),
    SettingsList: (_, { headers }) => Effect.map(world(headers), (w) => w.settings)
  })
}

export const accessHandlers = (bench: Bench) => {
  const world = (headers: Record<string, string>) => Effect.sync(() => bench.worldOf(headers))
  return AccessRpcs.middleware(Authorised).of({
    Whoami: () => Effect.service(CurrentCaller),
    OperatorList: (_, { headers }) => Effect.map(world(headers), (w) => w.operators),
    OperatorAdd: Effect.fnUntraced(function* ({ name, role }, { headers }) {
      const w = yield* world(headers)
      if (w.operators.some((o) => o.name === name)) return yield* new OperatorExists({ operator: name })
      const id = OperatorId.make(String(w.operators.length + 1))
      const operator = new Operator({ id, name, role, disabled: false, createdAt: instant(Date.now()), lastLoginAt: null })
      w.operators = [...w.operators, operator]
      return operator
    }),
    OperatorChange: Effect.fnUntraced(function* ({ id, role, disabled }, { headers }) {
      const w = yield* world(headers)
      const found = w.operators.find((o) => o.id === id)
      if (found === undefined) return yield* new OperatorNotFound({ id })
      const changed = new Operator({ ...found, role: role ?? found.role, disabled: disabled ?? found.disabled })
      const others = w.operators.filter((o) => o.id !== id && o.role === "admin" && !o.disabled)
      if (others.length === 0 && (changed.role !== "admin" || changed.disabled)) return yield* new LastAdministrator()
      w.operators = w.operators.map((o) => (o.id === id ? changed : o))
      return changed
    }),
    TokenList: (_, { headers }) => Effect.map(world(headers), (w) => w.tokens),
    TokenCreate: Effect.fnUntraced(function* ({ name, role, days }, { headers }) {
      const w = yield* world(headers)
      const caller = yield* CurrentCaller
      if (rank[role] > rank[caller.role]) return yield* new RoleTooHigh({ role })
      const now = Date.now()
      const token = new Token({
        id: TokenId.make(String(w.tokens.length + 1)),
        name,
        role,
        createdBy: caller.name,
        createdAt: instant(now),
        expiresAt: days === undefined ? null : instant(now + days * 86_400_000),
        lastUsedAt: null
      })
      w.tokens = [...w.tokens, token]
      return { token, secret: `fl_mock_${token.id}_0123456789abcdef` }
    }),
    TokenRevoke: Effect.fnUntraced(function* ({ id }, { headers }) {
      const w = yield* world(headers)
      if (!w.tokens.some((t) => t.id === id)) return yield* new TokenNotFound({ id })
      w.tokens = w.tokens.filter((t) => t.id !== id)
    }),
    AuditList: Effect.fnUntraced(function* (query, { headers }) {
      const w = yield* world(headers)
      const text = query.filter?.toLowerCase() ?? ""
      return pageOf(
        w.audit.filter((e) => `${e.actor} ${e.action} ${e.subject}`.toLowerCase().includes(text)),
        query,
        (e) => e.sequence,
        "descending"
      )
    }),
    AuditVerify: (_, { headers }) => Effect.map(world(headers), (w) => ({ entries: w.audit.length, brokenAt: null }))
  })
}
