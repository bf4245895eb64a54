/** Who is at the console: asked once at the start, set by login and set-up, forgotten when the appliance says so. Plain HTTP: it sets the cookie. */
import { Effect, Schema } from "effect"
import { LoginRefused, PasswordWeak, SetupRefused } from "#domain/http/AccessApi.ts"
import { Caller } from "#domain/Operator.ts"
import { type Capability, may, whyNot } from "#domain/Role.ts"
import { Cell } from "./Cell.ts"

export class ApplianceSilent extends Schema.TaggedError<ApplianceSilent>()("ApplianceSilent", { detail: Schema.String }) {
  override get message() {
    return `the appliance does not answer: ${this.detail}`
  }
}

export type Session =
  | { readonly _tag: "asking"; readonly since: number }
  | { readonly _tag: "silent"; readonly since: number; readonly why: string }
  | { readonly _tag: "setup" }
  /** `ended`: there was a session, and it ran out or was revoked. */
  | { readonly _tag: "login"; readonly ended: boolean }
  | { readonly _tag: "in"; readonly caller: Caller }

export const session = new Cell<Session>({ _tag: "asking", since: Date.now() })

/** Why the present caller may not, or undefined when they may. */
export const refusal = (capability: Capability): string | undefined =>
  session.value._tag === "in" ? whyNot(session.value.caller.role, capability) : "nobody is logged in"

export const granted = (capability: Capability): boolean =>
  session.value._tag === "in" && may(session.value.caller.role, capability)

const State = Schema.Struct({ setupNeeded: Schema.Boolean, caller: Schema.NullOr(Caller) })
const Refusals = Schema.Union([LoginRefused, SetupRefused, PasswordWeak])

const ask = (path: string, body?: object) =>
  Effect.tryPromise({
    try: (signal) =>
      fetch(path, {
        signal,
        method: body === undefined ? "GET" : "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      }),
    catch: () => new ApplianceSilent({ detail: "no connection" })
  }).pipe(
    Effect.timeoutOrElse({
      duration: "15 seconds",
      orElse: () => Effect.fail(new ApplianceSilent({ detail: "no answer in 15 s" }))
    }),
    Effect.flatMap((response) =>
      Effect.tryPromise({
        try: async () => ({ ok: response.ok, status: response.status, body: (await response.text()) || "null" }),
        catch: () => new ApplianceSilent({ detail: "the answer broke off" })
      })
    ),
    Effect.flatMap(({ body: text, ok, status }) => {
      const broken = new ApplianceSilent({ detail: `HTTP ${status}` })
      return Effect.try({ try: () => JSON.parse(text) as unknown, catch: () => broken }).pipe(
        Effect.flatMap((json) =>
          ok
            ? Effect.succeed(json)
            : Effect.flatMap(
                Effect.mapError(Schema.decodeUnknownEffect(Refusals)(json), () => broken),
                (refused) => Effect.fail(refused)
              )
        )
      )
    })
  )

const readAs =
  <S extends Schema.Codec<unknown, unknown, never, never>>(schema: S) =>
  (json: unknown): Effect.Effect<S["Type"], ApplianceSilent> =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema)(json),
      () => new ApplianceSilent({ detail: "an answer that this console cannot read" })
    )

const enter = (caller: Caller) => Effect.sync(() => session.set({ _tag: "in", caller }))

/** Asks who we are and sets `session`; a silent appliance is a state too. */
export const askWho = (ended = false) =>
  ask("/access/state").pipe(
    Effect.flatMap(readAs(State)),
    Effect.map(
      (state): Session =>
        state.setupNeeded
          ? { _tag: "setup" }
          : state.caller === null
            ? { _tag: "login", ended }
            : { _tag: "in", caller: state.caller }
    ),
    Effect.catch((fault) => {
      const before = session.value
      return Effect.succeed<Session>({
        _tag: "silent",
        since: before._tag === "silent" ? before.since : Date.now(),
        why: fault.message
      })
    }),
    Effect.tap((next) => Effect.sync(() => session.set(next)))
  )

export const logIn = (name: string, password: string) =>
  ask("/access/login", { name, password }).pipe(Effect.flatMap(readAs(Caller)), Effect.tap(enter))

export const setUp = (code: string, name: string, password: string) =>
  ask("/access/setup", { code, name, password }).pipe(Effect.flatMap(readAs(Caller)), Effect.tap(enter))

export const logOut = () =>
  ask("/access/logout", {}).pipe(Effect.tap(() => Effect.sync(() => session.set({ _tag: "login", ended: false }))))
